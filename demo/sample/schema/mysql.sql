-- Insurance sample, operational side. Runs on MySQL 8 and MariaDB 10.6 or later.
-- Money is decimal, instants are UTC. The comment of a table is how the loader knows what it may drop.

DROP TABLE IF EXISTS beneficiaries, clients, agents, users;

CREATE TABLE users (
  id int NOT NULL PRIMARY KEY,
  nombre varchar(120) NOT NULL,
  apellido varchar(120) NOT NULL,
  email varchar(190) NOT NULL,
  dni char(8) NOT NULL COMMENT 'text: leading zeros count',
  password_hash varchar(100) NOT NULL COMMENT 'must never be exported',
  rol enum('agente', 'cliente', 'admin', 'visitante') NOT NULL,
  estado varchar(40) NOT NULL COMMENT 'region of Peru',
  fecha_nacimiento date NOT NULL,
  genero varchar(1) NULL COMMENT 'F, M, X; NULL not asked, empty not answered',
  created_at datetime(6) NOT NULL,
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_dni (dni)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
  COMMENT = 'Ingesta sample data: people who can log in';

CREATE TABLE agents (
  id int NOT NULL PRIMARY KEY,
  user_id int NOT NULL,
  codigo varchar(12) NOT NULL,
  region varchar(40) NOT NULL,
  comision decimal(5, 4) NOT NULL COMMENT 'fraction of the premium',
  fecha_ingreso date NOT NULL COMMENT '1000-01-01 when nobody knows',
  UNIQUE KEY agents_codigo (codigo),
  FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
  COMMENT = 'Ingesta sample data: who sells policies';

CREATE TABLE clients (
  id int NOT NULL PRIMARY KEY,
  user_id int NOT NULL,
  ocupacion varchar(120) NOT NULL,
  ingreso_mensual decimal(12, 2) NOT NULL COMMENT 'soles',
  agent_id int NULL COMMENT 'NULL: came without an agent',
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  FOREIGN KEY (user_id) REFERENCES users (id),
  FOREIGN KEY (agent_id) REFERENCES agents (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
  COMMENT = 'Ingesta sample data: who may hold policies';

CREATE TABLE beneficiaries (
  id int NOT NULL PRIMARY KEY,
  client_id int NOT NULL,
  nombre varchar(120) NOT NULL,
  parentesco varchar(20) NULL COMMENT 'NULL unknown, empty none',
  porcentaje decimal(5, 2) NOT NULL COMMENT 'adds up to 100.00 per client',
  FOREIGN KEY (client_id) REFERENCES clients (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
  COMMENT = 'Ingesta sample data: who receives the money';

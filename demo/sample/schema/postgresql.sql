-- Insurance sample, contracts. Runs on PostgreSQL 12 or later.
-- Money is numeric. The comment of a table is how the loader knows what it may drop.

DROP TABLE IF EXISTS coberturas, policies, products;

CREATE TABLE products (
  id integer PRIMARY KEY,
  codigo varchar(12) NOT NULL UNIQUE,
  nombre text NOT NULL,
  tipo varchar(20) NOT NULL,
  prima_base numeric(12, 2) NOT NULL,
  costo_base numeric(12, 2) NOT NULL,
  activo boolean NOT NULL,
  atributos jsonb,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE products IS 'Ingesta sample data: the catalogue';
COMMENT ON COLUMN products.prima_base IS 'yearly premium in soles, before the risk of the client';
COMMENT ON COLUMN products.costo_base IS 'what one policy costs the company, in soles';

CREATE TABLE policies (
  id integer PRIMARY KEY,
  numero varchar(20) NOT NULL UNIQUE,
  client_id integer NOT NULL,
  agent_id integer NOT NULL,
  product_id integer NOT NULL REFERENCES products (id),
  estado varchar(10) NOT NULL CHECK (estado IN ('activa', 'vencida', 'cancelada')),
  prima numeric(12, 2) NOT NULL,
  suma_asegurada numeric(14, 2) NOT NULL,
  fecha_inicio date NOT NULL,
  fecha_fin date NOT NULL,
  tags text[]
);
CREATE INDEX policies_client ON policies (client_id);
COMMENT ON TABLE policies IS 'Ingesta sample data: contracts';
COMMENT ON COLUMN policies.client_id IS 'clients.id in MySQL; one policy names a client that is not there';
COMMENT ON COLUMN policies.agent_id IS 'agents.id in MySQL: who sold it';
COMMENT ON COLUMN policies.fecha_fin IS '9999-12-31: for life';

CREATE TABLE coberturas (
  id bigint PRIMARY KEY,
  policy_id integer NOT NULL REFERENCES policies (id),
  tipo varchar(40) NOT NULL,
  monto numeric(14, 2) NOT NULL,
  deducible numeric(14, 2) NOT NULL
);
CREATE INDEX coberturas_policy ON coberturas (policy_id);
COMMENT ON TABLE coberturas IS 'Ingesta sample data: what a policy covers';

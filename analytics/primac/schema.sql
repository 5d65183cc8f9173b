-- The columns that this pack's statements read, under types that DuckDB, Trino and Athena all know.

CREATE TABLE mysql_users (
  id bigint,
  estado varchar,
  fecha_nacimiento date,
  genero varchar,
  created_at timestamp
);

CREATE TABLE mysql_clients (
  id bigint,
  user_id bigint,
  agent_id bigint
);

CREATE TABLE mysql_agents (
  id bigint,
  codigo varchar,
  region varchar
);

CREATE TABLE postgresql_products (
  id bigint,
  nombre varchar,
  tipo varchar,
  costo_base decimal(18,2),
  activo boolean
);

CREATE TABLE postgresql_policies (
  id bigint,
  client_id bigint,
  agent_id bigint,
  product_id bigint,
  estado varchar,
  prima decimal(18,2),
  suma_asegurada decimal(18,2)
);

CREATE TABLE postgresql_coberturas (
  tipo varchar,
  monto decimal(18,2),
  deducible decimal(18,2)
);

CREATE TABLE cassandra_reclamos (
  id varchar,
  policy_id bigint,
  tipo varchar,
  estado varchar,
  monto_reclamado decimal(18,2),
  fecha timestamp
);

CREATE TABLE cassandra_pagos (
  reclamo_id varchar,
  policy_id bigint,
  monto decimal(18,2),
  fecha timestamp
);

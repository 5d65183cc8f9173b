-- Delivered as files: everything is text, and the statements read from it what they can.

CREATE TABLE ventas_productos (
  producto_id varchar,
  categoria varchar
);

CREATE TABLE ventas_ventas (
  producto_id varchar,
  cantidad varchar
);

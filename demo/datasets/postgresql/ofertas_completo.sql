-- Every offer with its products, one row each; an offer without products has one row too.
-- For the pharmacy: POSTGRES_TABLES=productos and DATASETS_DIR=demo/datasets export productos and ofertas_completo.
SELECT
  o.id AS oferta_id,
  o.nombre AS oferta,
  o.descuento,
  o.fecha_inicio,
  o.fecha_fin,
  p.nombre AS producto,
  p.tipo,
  p.requiere_receta,
  d.cantidad,
  p.precio,
  round(p.precio * (100 - o.descuento) / 100, 2) AS precio_oferta
FROM ofertas o
LEFT JOIN oferta_detalles d ON d.oferta_id = o.id
LEFT JOIN productos p ON p.nombre = d.producto_nombre
ORDER BY o.id, p.nombre;

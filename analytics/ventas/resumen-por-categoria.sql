-- route: /ventas/resumen_por_categoria
-- summary: Units sold per category
-- description: Sales of products that nobody knows are left out; whatever their date, all others count. The larger
-- description: category comes first.
-- tables: ventas.productos, ventas.ventas
-- example: categoria = Electronicos

-- name: . :map
WITH products AS (
  -- A delivery may hold a product twice: its sales must not.
  SELECT producto_id, min(categoria) AS categoria
  FROM ventas_productos
  WHERE categoria IS NOT NULL
  GROUP BY producto_id
)
SELECT
  products.categoria AS categoria,
  -- "1_000" is a number to DuckDB, and to Trino and Athena none.
  CAST(round(coalesce(sum(TRY_CAST(replace(trim(ventas.cantidad), '_', '?') AS decimal(12,3))), 0)) AS bigint) AS unidades
FROM ventas_ventas AS ventas
JOIN products ON products.producto_id = ventas.producto_id
GROUP BY products.categoria
ORDER BY unidades DESC, categoria

-- route: /postgresql/analytics/products
-- summary: Products: policies by type, insured amounts, best sellers
-- description: `coverage` is about the insured amounts of all policies; `coverage_types` is there when coberturas is.
-- tables: postgresql.products, postgresql.policies
-- uses: postgresql.coberturas
-- example: type = vida; name = Vida Entera

-- name: total_products :value
SELECT count(*) AS total_products
FROM postgresql_products

-- name: active_products :value
SELECT count(*) AS active_products
FROM postgresql_products
WHERE activo

-- name: policies_by_type :many
SELECT
  products.tipo AS type,
  count(policies.id) AS policies,
  sum(CASE WHEN policies.estado = 'activa' THEN 1 ELSE 0 END) AS active
FROM postgresql_products AS products
LEFT JOIN postgresql_policies AS policies ON policies.product_id = products.id
GROUP BY products.tipo
ORDER BY policies DESC, type NULLS LAST

-- name: coverage :one
SELECT
  count(*) AS policies,
  round(CAST(100 * sum(suma_asegurada) AS double) / NULLIF(count(suma_asegurada), 0)) / 100 AS mean,
  min(suma_asegurada) AS min,
  max(suma_asegurada) AS max,
  coalesce(sum(suma_asegurada), 0) AS total
FROM postgresql_policies

-- name: best_sellers :many
SELECT
  products.id AS product_id,
  products.nombre AS name,
  count(*) AS policies
FROM postgresql_products AS products
JOIN postgresql_policies AS policies ON policies.product_id = products.id
GROUP BY products.id, products.nombre
ORDER BY policies DESC, product_id
LIMIT 10

-- name: coverage_types :many if postgresql.coberturas
SELECT
  tipo AS type,
  count(*) AS "count",
  round(CAST(100 * sum(monto) AS double) / NULLIF(count(monto), 0)) / 100 AS mean_amount,
  round(CAST(100 * sum(deducible) AS double) / NULLIF(count(deducible), 0)) / 100 AS mean_deductible
FROM postgresql_coberturas
GROUP BY tipo
ORDER BY 2 DESC, type NULLS LAST

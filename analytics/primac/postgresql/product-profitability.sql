-- route: /postgresql/analytics/product-profitability
-- summary: Income, cost, margin and return per product
-- description: `income` is the sum of the premiums of all policies sold, `cost` their number times the base cost;
-- description: `margin` = profit / income, `roi` = profit / cost, null where that would divide by zero.
-- tables: postgresql.products, postgresql.policies
-- example: name = Vida Entera; type = vida

-- name: sold :table
SELECT
  product_id,
  count(*) AS policies,
  sum(CASE WHEN estado = 'activa' THEN 1 ELSE 0 END) AS active_policies,
  sum(prima) AS income
FROM postgresql_policies
GROUP BY product_id

-- name: products :many
WITH figures AS (
  SELECT
    products.id AS product_id,
    products.nombre AS name,
    products.tipo AS type,
    coalesce(sold.policies, 0) AS policies,
    coalesce(sold.active_policies, 0) AS active_policies,
    CAST(coalesce(sold.income, 0) AS decimal(38,2)) AS income,
    CAST(coalesce(sold.policies, 0) * coalesce(products.costo_base, 0) AS decimal(38,2)) AS cost
  FROM postgresql_products AS products
  LEFT JOIN sold ON sold.product_id = products.id
)
SELECT
  product_id,
  name,
  type,
  policies,
  active_policies,
  income,
  round(CAST(100 * income AS double) / NULLIF(policies, 0)) / 100 AS mean_premium,
  cost,
  income - cost AS profit,
  round(1e6 * (income - cost) / NULLIF(income, 0)) / 1e6 AS margin,
  round(1e6 * (income - cost) / NULLIF(cost, 0)) / 1e6 AS roi
FROM figures
ORDER BY profit DESC, product_id

-- name: totals :one
WITH figures AS (
  SELECT
    coalesce(sum(sold.policies), 0) AS policies,
    coalesce(sum(sold.active_policies), 0) AS active_policies,
    CAST(coalesce(sum(sold.income), 0) AS decimal(38,2)) AS income,
    CAST(coalesce(sum(sold.policies * coalesce(products.costo_base, 0)), 0) AS decimal(38,2)) AS cost
  FROM postgresql_products AS products
  JOIN sold ON sold.product_id = products.id
)
SELECT
  policies,
  active_policies,
  income,
  round(CAST(100 * income AS double) / NULLIF(policies, 0)) / 100 AS mean_premium,
  cost,
  income - cost AS profit,
  round(1e6 * (income - cost) / NULLIF(income, 0)) / 1e6 AS margin,
  round(1e6 * (income - cost) / NULLIF(cost, 0)) / 1e6 AS roi
FROM figures

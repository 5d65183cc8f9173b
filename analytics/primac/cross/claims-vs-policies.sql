-- route: /cross/analytics/claims-vs-policies
-- summary: Claims and payments against policies and premiums, per product
-- description: `claim_frequency` = claims / policies, `claim_ratio` = claimed / premium, `loss_ratio` = paid / premium,
-- description: null where that would divide by zero. `highest` and `lowest` go by the loss ratio, where there is one.
-- group: cross_microservice
-- tables: postgresql.products, postgresql.policies, cassandra.reclamos, cassandra.pagos
-- example: name = Todo Riesgo

-- name: figures :table
WITH sold AS (
  SELECT product_id, count(*) AS policies, sum(prima) AS premium
  FROM postgresql_policies
  GROUP BY product_id
),
claimed AS (
  SELECT policies.product_id, count(*) AS claims, sum(reclamos.monto_reclamado) AS claimed
  FROM cassandra_reclamos AS reclamos
  JOIN postgresql_policies AS policies ON policies.id = reclamos.policy_id
  GROUP BY policies.product_id
),
paid AS (
  SELECT policies.product_id, sum(pagos.monto) AS paid
  FROM cassandra_pagos AS pagos
  JOIN postgresql_policies AS policies ON policies.id = pagos.policy_id
  GROUP BY policies.product_id
)
SELECT
  products.id AS product_id,
  products.nombre AS name,
  coalesce(sold.policies, 0) AS policies,
  coalesce(claimed.claims, 0) AS claims,
  CAST(coalesce(claimed.claimed, 0) AS decimal(38,2)) AS claimed,
  CAST(coalesce(paid.paid, 0) AS decimal(38,2)) AS paid,
  CAST(coalesce(sold.premium, 0) AS decimal(38,2)) AS premium
FROM postgresql_products AS products
LEFT JOIN sold ON sold.product_id = products.id
LEFT JOIN claimed ON claimed.product_id = products.id
LEFT JOIN paid ON paid.product_id = products.id

-- name: ratios :table
SELECT
  product_id,
  name,
  policies,
  claims,
  round(1e6 * claims / NULLIF(policies, 0)) / 1e6 AS claim_frequency,
  claimed,
  paid,
  premium,
  round(1e6 * claimed / NULLIF(premium, 0)) / 1e6 AS claim_ratio,
  round(1e6 * paid / NULLIF(premium, 0)) / 1e6 AS loss_ratio
FROM figures

-- name: products :many
SELECT product_id, name, policies, claims, claim_frequency, claimed, paid, premium, claim_ratio, loss_ratio
FROM ratios
ORDER BY loss_ratio DESC NULLS LAST, product_id

-- name: highest :many
SELECT product_id, name, policies, claims, claim_frequency, claimed, paid, premium, claim_ratio, loss_ratio
FROM ratios
WHERE premium > 0
ORDER BY loss_ratio DESC, product_id
LIMIT 5

-- name: lowest :many
SELECT product_id, name, policies, claims, claim_frequency, claimed, paid, premium, claim_ratio, loss_ratio
FROM ratios
WHERE premium > 0
ORDER BY loss_ratio, product_id
LIMIT 5

-- name: totals :one
WITH totals AS (
  SELECT
    coalesce(sum(policies), 0) AS policies,
    coalesce(sum(claims), 0) AS claims,
    coalesce(sum(claimed), 0) AS claimed,
    coalesce(sum(paid), 0) AS paid,
    coalesce(sum(premium), 0) AS premium
  FROM figures
)
SELECT
  policies,
  claims,
  round(1e6 * claims / NULLIF(policies, 0)) / 1e6 AS claim_frequency,
  claimed,
  paid,
  premium,
  round(1e6 * claimed / NULLIF(premium, 0)) / 1e6 AS claim_ratio,
  round(1e6 * paid / NULLIF(premium, 0)) / 1e6 AS loss_ratio
FROM totals

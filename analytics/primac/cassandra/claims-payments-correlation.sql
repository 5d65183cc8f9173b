-- route: /cassandra/analytics/claims-payments-correlation
-- summary: From claim to payment: approval, time, amounts paid against amounts claimed
-- description: `approval_rate` = approved / (approved + rejected). A claim is paid once it has a payment; days are
-- description: calendar days (UTC) from the claim to its first payment. `mean_claimed`, `mean_paid`, `paid_ratio` and
-- description: `correlation` (Pearson) are about the paid claims, each with the sum of its payments.
-- tables: cassandra.reclamos, cassandra.pagos

-- name: outcomes :table
WITH paid AS (
  SELECT reclamo_id, sum(monto) AS paid, CAST(min(fecha) AS date) AS first_payment
  FROM cassandra_pagos
  GROUP BY reclamo_id
)
SELECT
  reclamos.estado AS state,
  CASE WHEN paid.reclamo_id IS NOT NULL THEN 1 ELSE 0 END AS is_paid,
  CASE WHEN paid.reclamo_id IS NOT NULL THEN reclamos.monto_reclamado END AS claimed,
  paid.paid,
  date_diff('day', CAST(reclamos.fecha AS date), paid.first_payment) AS days_to_payment,
  date_diff('day', CAST(reclamos.fecha AS date), :as_of) AS age_in_days
FROM cassandra_reclamos AS reclamos
LEFT JOIN paid ON paid.reclamo_id = reclamos.id

-- name: . :one
SELECT
  count(*) AS claims,
  coalesce(sum(CASE WHEN state = 'aprobado' THEN 1 ELSE 0 END), 0) AS approved,
  round(
    1e6 * sum(CASE WHEN state = 'aprobado' THEN 1 ELSE 0 END)
      / NULLIF(sum(CASE WHEN state IN ('aprobado', 'rechazado') THEN 1 ELSE 0 END), 0)
  ) / 1e6 AS approval_rate,
  coalesce(sum(is_paid), 0) AS paid_claims,
  round(1e6 * sum(days_to_payment) / NULLIF(count(days_to_payment), 0)) / 1e6 AS mean_days_to_payment,
  round(CAST(100 * sum(claimed) AS double) / NULLIF(count(claimed), 0)) / 100 AS mean_claimed,
  round(CAST(100 * sum(paid) AS double) / NULLIF(count(paid), 0)) / 100 AS mean_paid,
  round(1e6 * sum(paid) / NULLIF(sum(claimed), 0)) / 1e6 AS paid_ratio,
  round(corr(CAST(paid AS double), CAST(claimed AS double)), 6) AS correlation
FROM outcomes

-- name: efficiency :one
SELECT
  coalesce(sum(CASE WHEN days_to_payment <= 7 THEN 1 ELSE 0 END), 0) AS paid_within_7_days,
  coalesce(sum(CASE WHEN days_to_payment <= 30 THEN 1 ELSE 0 END), 0) AS paid_within_30_days,
  coalesce(sum(CASE WHEN state = 'pendiente' AND age_in_days > 30 THEN 1 ELSE 0 END), 0) AS pending_over_30_days
FROM outcomes

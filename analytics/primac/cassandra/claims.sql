-- route: /cassandra/analytics/claims
-- summary: Claims by type and state, and their amounts
-- tables: cassandra.reclamos
-- example: type = choque; state = aprobado

-- name: total_claims :value
SELECT count(*) AS total_claims
FROM cassandra_reclamos

-- name: by_type :many
SELECT
  tipo AS type,
  count(*) AS claims,
  round(CAST(100 * sum(monto_reclamado) AS double) / NULLIF(count(monto_reclamado), 0)) / 100 AS mean_amount
FROM cassandra_reclamos
GROUP BY tipo
ORDER BY claims DESC, type NULLS LAST

-- name: by_state :many
SELECT
  estado AS state,
  count(*) AS claims,
  round(1e6 * count(*) / sum(count(*)) OVER ()) / 1e6 AS share
FROM cassandra_reclamos
GROUP BY estado
ORDER BY claims DESC, state NULLS LAST

-- name: amounts :one
SELECT
  round(CAST(100 * sum(monto_reclamado) AS double) / NULLIF(count(monto_reclamado), 0)) / 100 AS mean,
  min(monto_reclamado) AS min,
  max(monto_reclamado) AS max,
  coalesce(sum(monto_reclamado), 0) AS total
FROM cassandra_reclamos

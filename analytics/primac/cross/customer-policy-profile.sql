-- route: /cross/analytics/customer-policy-profile
-- summary: Who the clients are, what they hold, and their segments
-- description: `with_policies` counts clients who ever bought one; everything else is about active policies, and
-- description: `policies_per_client` about all clients. Segments go by the sum of a client's active premiums: from 5000
-- description: `premium`, from 1000 `estandar`, above 0 `basico`, else `sin_poliza`; `mean_premium` is per policy.
-- description: `top_clients` are those who pay most. `demographics` is there when users is.
-- group: cross_microservice
-- tables: mysql.clients, postgresql.policies
-- uses: mysql.users
-- example: state = Lima; age_group = 30-44; segment = premium

-- name: clients :value
SELECT count(*) AS clients
FROM mysql_clients

-- name: with_policies :value
SELECT count(*) AS with_policies
FROM mysql_clients
WHERE id IN (SELECT client_id FROM postgresql_policies)

-- name: demographics.by_state :many if mysql.users
SELECT users.estado AS state, count(*) AS clients
FROM mysql_clients AS clients
JOIN mysql_users AS users ON users.id = clients.user_id
GROUP BY users.estado
ORDER BY 2 DESC, state NULLS LAST

-- name: demographics.by_age_group :many if mysql.users
WITH ages AS (
  SELECT
    extract(YEAR FROM :as_of) - extract(YEAR FROM users.fecha_nacimiento)
      - CASE
          WHEN extract(MONTH FROM :as_of) * 100 + extract(DAY FROM :as_of)
            < extract(MONTH FROM users.fecha_nacimiento) * 100 + extract(DAY FROM users.fecha_nacimiento)
          THEN 1 ELSE 0
        END AS age
  FROM mysql_clients AS clients
  JOIN mysql_users AS users ON users.id = clients.user_id
  WHERE users.fecha_nacimiento IS NOT NULL
)
SELECT
  CASE
    WHEN age < 18 THEN '0-17'
    WHEN age < 30 THEN '18-29'
    WHEN age < 45 THEN '30-44'
    WHEN age < 60 THEN '45-59'
    ELSE '60+'
  END AS age_group,
  count(*) AS clients
FROM ages
GROUP BY 1
ORDER BY clients DESC, age_group

-- name: held :table
SELECT
  client_id,
  count(*) AS active_policies,
  coalesce(sum(suma_asegurada), 0) AS total_cover,
  coalesce(sum(prima), 0) AS premium
FROM postgresql_policies
WHERE estado = 'activa'
GROUP BY client_id

-- name: policies_per_client :one
SELECT
  round(1e6 * sum(coalesce(held.active_policies, 0)) / NULLIF(count(*), 0)) / 1e6 AS mean,
  max(coalesce(held.active_policies, 0)) AS max
FROM mysql_clients AS clients
LEFT JOIN held ON held.client_id = clients.id

-- name: total_cover :value
SELECT coalesce(sum(held.total_cover), 0) AS total_cover
FROM mysql_clients AS clients
JOIN held ON held.client_id = clients.id

-- name: segments :many
WITH profiles AS (
  SELECT
    CASE
      WHEN held.premium >= 5000 THEN 'premium'
      WHEN held.premium >= 1000 THEN 'estandar'
      WHEN held.premium > 0 THEN 'basico'
      ELSE 'sin_poliza'
    END AS segment,
    coalesce(held.active_policies, 0) AS active_policies,
    coalesce(held.total_cover, 0) AS total_cover,
    coalesce(held.premium, 0) AS premium
  FROM mysql_clients AS clients
  LEFT JOIN held ON held.client_id = clients.id
)
SELECT
  segment,
  count(*) AS clients,
  sum(active_policies) AS active_policies,
  sum(total_cover) AS total_cover,
  round(CAST(100 * sum(premium) AS double) / NULLIF(sum(active_policies), 0)) / 100 AS mean_premium
FROM profiles
GROUP BY segment
ORDER BY clients DESC, segment

-- name: top_clients :many
SELECT clients.id AS client_id, held.active_policies, held.total_cover, held.premium
FROM mysql_clients AS clients
JOIN held ON held.client_id = clients.id
ORDER BY held.premium DESC, client_id
LIMIT 20

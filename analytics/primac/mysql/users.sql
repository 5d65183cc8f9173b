-- route: /mysql/analytics/users
-- summary: Users: distribution, demographics, registrations over time
-- description: Ages are in full years on `as_of`. `registrations` runs from the oldest month to the newest.
-- tables: mysql.users
-- example: state = Lima; gender = F; age_group = 30-44; month = 2026-10

-- name: total_users :value
SELECT count(*) AS total_users
FROM mysql_users

-- name: by_state :many
SELECT
  estado AS state,
  count(*) AS users,
  round(1e6 * count(*) / sum(count(*)) OVER ()) / 1e6 AS share
FROM mysql_users
GROUP BY estado
ORDER BY users DESC, state NULLS LAST

-- name: demographics.by_gender :many
SELECT genero AS gender, count(*) AS users
FROM mysql_users
GROUP BY genero
ORDER BY users DESC, gender NULLS LAST

-- name: ages :table
SELECT
  extract(YEAR FROM :as_of) - extract(YEAR FROM fecha_nacimiento)
    - CASE
        WHEN extract(MONTH FROM :as_of) * 100 + extract(DAY FROM :as_of)
          < extract(MONTH FROM fecha_nacimiento) * 100 + extract(DAY FROM fecha_nacimiento)
        THEN 1 ELSE 0
      END AS age
FROM mysql_users
WHERE fecha_nacimiento IS NOT NULL

-- name: demographics.by_age_group :many
SELECT
  CASE
    WHEN age < 18 THEN '0-17'
    WHEN age < 30 THEN '18-29'
    WHEN age < 45 THEN '30-44'
    WHEN age < 60 THEN '45-59'
    ELSE '60+'
  END AS age_group,
  count(*) AS users
FROM ages
GROUP BY 1
ORDER BY users DESC, age_group

-- name: demographics.age :one
SELECT
  round(1e6 * sum(age) / NULLIF(count(*), 0)) / 1e6 AS mean,
  min(age) AS min,
  max(age) AS max
FROM ages

-- name: registrations :many
SELECT substr(CAST(CAST(created_at AS date) AS varchar), 1, 7) AS month, count(*) AS users
FROM mysql_users
WHERE created_at IS NOT NULL
GROUP BY 1
ORDER BY month

-- route: /mysql/analytics/growth-by-state
-- summary: Growth of the number of users per state
-- description: The window is that many calendar months, the last of which is the month of `as_of`. `growth_rate` is
-- description: users in the window per user before it, null where there was none before. `series` runs through the
-- description: months of each state, those without registrations included.
-- param: months integer 1..36 = 12 Calendar months in the window.
-- tables: mysql.users
-- example: state = Lima; month = 2026-10

-- name: months :value
SELECT :months AS months

-- name: series :many
WITH bounds AS (
  -- Months are counted since year 0, so that no engine's own date arithmetic is needed.
  SELECT extract(YEAR FROM :as_of) * 12 + extract(MONTH FROM :as_of) - :months AS first_month,
    extract(YEAR FROM :as_of) * 12 + extract(MONTH FROM :as_of) - 1 AS last_month
),
numbers (n) AS (
  VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35)
),
months AS (
  SELECT first_month + n AS month_number
  FROM numbers
  CROSS JOIN bounds
  WHERE first_month + n <= last_month
),
states AS (
  SELECT DISTINCT estado AS state
  FROM mysql_users
),
registered AS (
  SELECT
    estado AS state,
    extract(YEAR FROM created_at) * 12 + extract(MONTH FROM created_at) - 1 AS month_number,
    count(*) AS users
  FROM mysql_users
  GROUP BY 1, 2
)
SELECT
  states.state,
  CAST(CAST((months.month_number - mod(months.month_number, 12)) / 12 AS bigint) AS varchar) || '-'
    || lpad(CAST(mod(months.month_number, 12) + 1 AS varchar), 2, '0') AS month,
  coalesce(registered.users, 0) AS users
FROM states
CROSS JOIN months
LEFT JOIN registered
  ON registered.state IS NOT DISTINCT FROM states.state AND registered.month_number = months.month_number
ORDER BY states.state NULLS LAST, months.month_number

-- name: rates :table
WITH bounds AS (
  -- Months are counted since year 0, so that no engine's own date arithmetic is needed.
  SELECT extract(YEAR FROM :as_of) * 12 + extract(MONTH FROM :as_of) - :months AS first_month,
    extract(YEAR FROM :as_of) * 12 + extract(MONTH FROM :as_of) - 1 AS last_month
),
registered AS (
  SELECT
    estado AS state,
    extract(YEAR FROM created_at) * 12 + extract(MONTH FROM created_at) - 1 AS month_number
  FROM mysql_users
),
counted AS (
  SELECT
    state,
    sum(CASE WHEN month_number < first_month THEN 1 ELSE 0 END) AS users_before,
    sum(CASE WHEN month_number BETWEEN first_month AND last_month THEN 1 ELSE 0 END) AS users_in_window
  FROM registered
  CROSS JOIN bounds
  GROUP BY state
)
SELECT
  state,
  users_before,
  users_in_window,
  round(1e6 * users_in_window / NULLIF(users_before, 0)) / 1e6 AS growth_rate
FROM counted

-- name: growth :many
SELECT state, users_before, users_in_window, growth_rate
FROM rates
ORDER BY growth_rate DESC NULLS LAST, state NULLS LAST

-- name: fastest_growing :many
SELECT state, users_before, users_in_window, growth_rate
FROM rates
WHERE users_before > 0
ORDER BY growth_rate DESC, state NULLS LAST
LIMIT 5

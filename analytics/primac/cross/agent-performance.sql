-- route: /cross/analytics/agent-performance
-- summary: Agents ranked by the premiums of the policies they sold
-- description: `clients` are those assigned to the agent; `conversion_rate` is the share of them who hold at least one
-- description: policy that this agent sold, null where none is assigned.
-- group: cross_microservice
-- tables: mysql.agents, mysql.clients, postgresql.policies
-- example: code = AG-00001; region = Lima

-- name: sold :table
SELECT
  agent_id,
  count(*) AS policies_sold,
  sum(CASE WHEN estado = 'activa' THEN 1 ELSE 0 END) AS active_policies,
  sum(prima) AS premium_total
FROM postgresql_policies
GROUP BY agent_id

-- name: assigned :table
WITH buyers AS (
  SELECT DISTINCT client_id, agent_id
  FROM postgresql_policies
)
SELECT clients.agent_id, count(*) AS clients, count(buyers.client_id) AS converted
FROM mysql_clients AS clients
LEFT JOIN buyers ON buyers.client_id = clients.id AND buyers.agent_id = clients.agent_id
GROUP BY clients.agent_id

-- name: agents :many
WITH figures AS (
  SELECT
    agents.id AS agent_id,
    agents.codigo AS code,
    agents.region,
    coalesce(sold.policies_sold, 0) AS policies_sold,
    coalesce(sold.active_policies, 0) AS active_policies,
    CAST(coalesce(sold.premium_total, 0) AS decimal(38,2)) AS premium_total,
    coalesce(assigned.clients, 0) AS clients,
    coalesce(assigned.converted, 0) AS converted
  FROM mysql_agents AS agents
  LEFT JOIN sold ON sold.agent_id = agents.id
  LEFT JOIN assigned ON assigned.agent_id = agents.id
)
SELECT
  rank() OVER (ORDER BY premium_total DESC) AS rank,
  agent_id,
  code,
  region,
  policies_sold,
  active_policies,
  premium_total,
  clients,
  round(1e6 * converted / NULLIF(clients, 0)) / 1e6 AS conversion_rate
FROM figures
ORDER BY premium_total DESC, agent_id

-- name: totals :one
SELECT
  count(*) AS agents,
  coalesce(sum(sold.policies_sold), 0) AS policies_sold,
  coalesce(sum(sold.active_policies), 0) AS active_policies,
  CAST(coalesce(sum(sold.premium_total), 0) AS decimal(38,2)) AS premium_total,
  coalesce(sum(assigned.clients), 0) AS clients,
  round(1e6 * sum(assigned.converted) / NULLIF(sum(assigned.clients), 0)) / 1e6 AS conversion_rate
FROM mysql_agents AS agents
LEFT JOIN sold ON sold.agent_id = agents.id
LEFT JOIN assigned ON assigned.agent_id = agents.id

const NOBODY = { mean: null, min: null, max: null };

/** What the routes answer when there is nothing to count. */
const OF_NOTHING: Record<string, object> = {
  '/mysql/analytics/users': {
    as_of: '2026-11-03',
    total_users: 0,
    by_state: [],
    demographics: { by_gender: [], by_age_group: [], age: NOBODY },
    registrations: [],
  },
  '/mysql/analytics/growth-by-state': { as_of: '2026-11-03', months: 12, series: [], growth: [], fastest_growing: [] },
  '/postgresql/analytics/products': {
    as_of: '2026-11-04',
    total_products: 0,
    active_products: 0,
    policies_by_type: [],
    coverage: { policies: 0, ...NOBODY, total: 0 },
    best_sellers: [],
    coverage_types: [],
  },
  '/postgresql/analytics/product-profitability': {
    as_of: '2026-11-04',
    products: [],
    totals: {
      ...{ policies: 0, active_policies: 0, income: 0, mean_premium: null, cost: 0, profit: 0 },
      ...{ margin: null, roi: null },
    },
  },
  '/cassandra/analytics/claims': {
    ...{ as_of: '2026-11-05', total_claims: 0, by_type: [], by_state: [], amounts: { ...NOBODY, total: 0 } },
  },
  '/cassandra/analytics/claims-payments-correlation': {
    ...{ as_of: '2026-11-05', claims: 0, approved: 0, approval_rate: null, paid_claims: 0, mean_days_to_payment: null },
    ...{ mean_claimed: null, mean_paid: null, paid_ratio: null, correlation: null },
    efficiency: { paid_within_7_days: 0, paid_within_30_days: 0, pending_over_30_days: 0 },
  },
  '/cross/analytics/customer-policy-profile': {
    ...{ as_of: '2026-11-03', clients: 0, with_policies: 0, demographics: { by_state: [], by_age_group: [] } },
    ...{ policies_per_client: { mean: null, max: null }, total_cover: 0, segments: [], top_clients: [] },
  },
  '/cross/analytics/agent-performance': {
    as_of: '2026-11-03',
    agents: [],
    totals: {
      ...{ agents: 0, policies_sold: 0, active_policies: 0, premium_total: 0, clients: 0, conversion_rate: null },
    },
  },
  '/cross/analytics/claims-vs-policies': {
    ...{ as_of: '2026-11-04', products: [], highest: [], lowest: [] },
    totals: {
      ...{ policies: 0, claims: 0, claim_frequency: null, claimed: 0, paid: 0, premium: 0 },
      ...{ claim_ratio: null, loss_ratio: null },
    },
  },
  '/ventas/resumen_por_categoria': {},
};

const VIDA = {
  ...{ product_id: 1, name: 'Vida', policies: 2, claims: 2, claim_frequency: 1, claimed: 2.01, paid: 2.01 },
  ...{ premium: 2.01, claim_ratio: 1, loss_ratio: 1 },
};
const UNCLAIMED = { claims: 0, claimed: 0, paid: 0, premium: 0, claim_ratio: null, loss_ratio: null };

/** What the routes answer about the awkward tables, worked out by hand. Lists are in this order. */
const OF_AWKWARD: Record<string, object> = {
  '/mysql/analytics/users': {
    as_of: '2026-11-03',
    total_users: 6,
    by_state: [
      { state: 'Lima', users: 2, share: 0.333333 },
      { state: null, users: 2, share: 0.333333 },
      { state: 'Cusco', users: 1, share: 0.166667 },
      { state: 'Puno', users: 1, share: 0.166667 },
    ],
    demographics: {
      by_gender: ['F', '', 'M', null].map((gender) => ({ gender, users: gender === 'F' ? 3 : 1 })),
      by_age_group: [
        { age_group: '18-29', users: 3 },
        { age_group: '60+', users: 1 },
      ],
      age: { mean: 42, min: 18, max: 100 },
    },
    registrations: [
      { month: '2020-01', users: 1 },
      { month: '2025-11', users: 1 },
      { month: '2026-11', users: 2 },
      { month: '2026-12', users: 1 },
    ],
  },
  '/mysql/analytics/growth-by-state?months=1': {
    as_of: '2026-11-03',
    months: 1,
    series: ['Cusco', 'Lima', 'Puno', null].map((state) => ({
      ...{ state, month: '2026-11', users: state === 'Lima' || state === 'Puno' ? 1 : 0 },
    })),
    growth: [
      { state: 'Lima', users_before: 1, users_in_window: 1, growth_rate: 1 },
      { state: 'Cusco', users_before: 1, users_in_window: 0, growth_rate: 0 },
      { state: 'Puno', users_before: 0, users_in_window: 1, growth_rate: null },
      { state: null, users_before: 0, users_in_window: 0, growth_rate: null },
    ],
    fastest_growing: [
      { state: 'Lima', users_before: 1, users_in_window: 1, growth_rate: 1 },
      { state: 'Cusco', users_before: 1, users_in_window: 0, growth_rate: 0 },
    ],
  },
  '/postgresql/analytics/products': {
    ...{ as_of: '2026-11-04', total_products: 3, active_products: 2 },
    policies_by_type: [
      { type: 'vida', policies: 2, active: 2 },
      { type: null, policies: 1, active: 1 },
    ],
    coverage: { policies: 5, mean: 8.58, min: 8.57, max: 8.58, total: 17.15 },
    best_sellers: [
      { product_id: 1, name: 'Vida', policies: 2 },
      { product_id: 2, name: 'Gratis', policies: 1 },
    ],
    coverage_types: [
      { type: 'a', count: 2, mean_amount: 1.01, mean_deductible: 8.58 },
      { type: null, count: 1, mean_amount: null, mean_deductible: null },
    ],
  },
  '/postgresql/analytics/product-profitability': {
    as_of: '2026-11-04',
    products: [
      {
        ...{ product_id: 1, name: 'Vida', type: 'vida', policies: 2, active_policies: 2, income: 2.01 },
        ...{ mean_premium: 1.01, cost: 1, profit: 1.01, margin: 0.502488, roi: 1.01 },
      },
      {
        ...{ product_id: 2, name: 'Gratis', type: null, policies: 1, active_policies: 1, income: 0 },
        ...{ mean_premium: 0, cost: 0, profit: 0, margin: null, roi: null },
      },
      {
        ...{ product_id: 3, name: null, type: 'vida', policies: 0, active_policies: 0, income: 0 },
        ...{ mean_premium: null, cost: 0, profit: 0, margin: null, roi: null },
      },
    ],
    totals: {
      ...{ policies: 3, active_policies: 3, income: 2.01, mean_premium: 0.67, cost: 1, profit: 1.01 },
      ...{ margin: 0.502488, roi: 1.01 },
    },
  },
  '/cassandra/analytics/claims': {
    ...{ as_of: '2026-11-05', total_claims: 4 },
    by_type: [
      { type: 'choque', claims: 2, mean_amount: 1.01 },
      { type: 'robo', claims: 1, mean_amount: null },
      { type: null, claims: 1, mean_amount: null },
    ],
    by_state: [
      { state: 'aprobado', claims: 2, share: 0.5 },
      { state: 'pendiente', claims: 1, share: 0.25 },
      { state: null, claims: 1, share: 0.25 },
    ],
    amounts: { mean: 1.01, min: 1, max: 1.01, total: 2.01 },
  },
  '/cassandra/analytics/claims-payments-correlation': {
    ...{ as_of: '2026-11-05', claims: 4, approved: 2, approval_rate: 1, paid_claims: 2, mean_days_to_payment: 18.5 },
    ...{ mean_claimed: 1.01, mean_paid: 1.01, paid_ratio: 1, correlation: 1 },
    efficiency: { paid_within_7_days: 1, paid_within_30_days: 2, pending_over_30_days: 1 },
  },
  '/cross/analytics/customer-policy-profile': {
    ...{ as_of: '2026-11-03', clients: 4, with_policies: 2 },
    demographics: {
      by_state: [
        { state: 'Lima', clients: 1 },
        { state: null, clients: 1 },
      ],
      by_age_group: [{ age_group: '18-29', clients: 1 }],
    },
    policies_per_client: { mean: 0.75, max: 2 },
    total_cover: 17.15,
    segments: [
      { segment: 'sin_poliza', clients: 3, active_policies: 1, total_cover: 0, mean_premium: 0 },
      { segment: 'basico', clients: 1, active_policies: 2, total_cover: 17.15, mean_premium: 1.01 },
    ],
    top_clients: [
      { client_id: 1, active_policies: 2, total_cover: 17.15, premium: 2.01 },
      { client_id: 2, active_policies: 1, total_cover: 0, premium: 0 },
    ],
  },
  '/cross/analytics/agent-performance': {
    as_of: '2026-11-03',
    agents: [
      {
        ...{ rank: 1, agent_id: 1, code: 'A-1', region: 'Lima', policies_sold: 3, active_policies: 2 },
        ...{ premium_total: 2.01, clients: 2, conversion_rate: 0.5 },
      },
      {
        ...{ rank: 2, agent_id: 2, code: 'A-2', region: null, policies_sold: 0, active_policies: 0 },
        ...{ premium_total: 0, clients: 0, conversion_rate: null },
      },
    ],
    totals: { agents: 2, policies_sold: 3, active_policies: 2, premium_total: 2.01, clients: 2, conversion_rate: 0.5 },
  },
  '/cross/analytics/claims-vs-policies': {
    as_of: '2026-11-04',
    products: [
      VIDA,
      { product_id: 2, name: 'Gratis', policies: 1, claim_frequency: 0, ...UNCLAIMED },
      { product_id: 3, name: null, policies: 0, claim_frequency: null, ...UNCLAIMED },
    ],
    highest: [VIDA],
    lowest: [VIDA],
    totals: {
      ...{ policies: 3, claims: 2, claim_frequency: 0.666667, claimed: 2.01, paid: 2.01, premium: 2.01 },
      ...{ claim_ratio: 1, loss_ratio: 1 },
    },
  },
  '/ventas/resumen_por_categoria': { Ropa: 15, '': 0 },
};

/** What the routes must answer over each hand-made lake, by path. */
export const HAND_MADE_ANSWERS = {
  empty: OF_NOTHING,
  awkward: OF_AWKWARD,
  extreme: {
    '/mysql/analytics/users': {
      as_of: '2026-11-03',
      total_users: 640,
      by_state: [
        { state: 'Cusco', users: 599, share: 0.935938 },
        { state: 'Lima', users: 41, share: 0.064063 },
      ],
      demographics: { by_gender: [{ gender: null, users: 640 }], by_age_group: [], age: NOBODY },
      registrations: [],
    },
    '/postgresql/analytics/products': {
      ...{ as_of: '2026-11-04', total_products: 1, active_products: 1 },
      policies_by_type: [{ type: 'todo', policies: 10, active: 10 }],
      coverage: { policies: 10, mean: 1e16, min: 1e16, max: 1e16, total: 1e17 },
      best_sellers: [{ product_id: 1, name: 'Todo', policies: 10 }],
      coverage_types: [],
    },
    '/postgresql/analytics/product-profitability': {
      as_of: '2026-11-04',
      products: [
        {
          ...{ product_id: 1, name: 'Todo', type: 'todo', policies: 10, active_policies: 10, income: 1e17 },
          ...{ mean_premium: 1e16, cost: 0, profit: 1e17, margin: 1, roi: null },
        },
      ],
      totals: {
        ...{ policies: 10, active_policies: 10, income: 1e17, mean_premium: 1e16, cost: 0, profit: 1e17 },
        ...{ margin: 1, roi: null },
      },
    },
    '/cassandra/analytics/claims-payments-correlation': {
      ...{ as_of: '2026-11-05', claims: 2, approved: 0, approval_rate: 0, paid_claims: 2, mean_days_to_payment: 0 },
      ...{ mean_claimed: 7, mean_paid: 0, paid_ratio: 0, correlation: null },
      efficiency: { paid_within_7_days: 2, paid_within_30_days: 2, pending_over_30_days: 0 },
    },
  },
};

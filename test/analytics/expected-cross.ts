import type { Sample } from '../../demo/sample/insurance/generate';
import type { Policy } from '../../demo/sample/insurance/policies';
import { ageGroup, ageOn, byFigure, cents, groupBy, meanMoney, money, ratio, total } from './figures';

const premiumOf = (policies: readonly Policy[]): number => total(policies.map(({ prima }) => cents(prima)));
const coverOf = (policies: readonly Policy[]): number => total(policies.map((policy) => cents(policy.suma_asegurada)));
const active = (policies: readonly Policy[]): Policy[] => policies.filter(({ estado }) => estado === 'activa');

/** What `/cross/analytics/customer-policy-profile` must answer, from the generator's rows. */
export function expectedProfile({ mysql, postgresql }: Sample, asOf: string) {
  const users = new Map([...mysql.users()].map((user) => [user.id, user]));
  const policies = groupBy(postgresql.policies(), ({ client_id }) => client_id);
  const clients = [...mysql.clients()].map(({ id, user_id }) => {
    const held = active(policies.get(id) ?? []);
    const premium = premiumOf(held);
    return {
      id,
      user: users.get(user_id)!,
      held: held.length,
      cover: coverOf(held),
      premium,
      segment: segmentOf(premium),
    };
  });
  const counted = <Name extends string>(name: Name, groups: Map<string, unknown[]>) =>
    byFigure(
      [...groups].map(
        ([key, rows]) => ({ [name]: key, clients: rows.length }) as Record<Name, string> & { clients: number },
      ),
      (row) => row.clients,
      (row) => row[name],
    );
  const segments = [...groupBy(clients, ({ segment }) => segment)].map(([segment, rows]) => ({
    segment,
    clients: rows.length,
    active_policies: total(rows.map(({ held }) => held)),
    total_cover: money(total(rows.map(({ cover }) => cover))),
    mean_premium: meanMoney(total(rows.map(({ premium }) => premium)), total(rows.map(({ held }) => held))),
  }));
  const holders = clients.filter(({ held }) => held > 0);
  return {
    clients: clients.length,
    with_policies: clients.filter(({ id }) => policies.has(id)).length,
    demographics: {
      by_state: counted(
        'state',
        groupBy(clients, ({ user }) => user.estado),
      ),
      by_age_group: counted(
        'age_group',
        groupBy(clients, ({ user }) => ageGroup(ageOn(user.fecha_nacimiento, asOf))),
      ),
    },
    policies_per_client: {
      mean: ratio(total(clients.map(({ held }) => held)), clients.length),
      max: Math.max(...clients.map(({ held }) => held)),
    },
    total_cover: money(total(clients.map(({ cover }) => cover))),
    segments: byFigure(
      segments,
      (row) => row.clients,
      (row) => row.segment,
    ),
    top_clients: byFigure(
      holders,
      (row) => row.premium,
      (row) => row.id,
    )
      .slice(0, 20)
      .map(({ id, held, cover, premium }) => ({
        ...{ client_id: id, active_policies: held },
        ...{ total_cover: money(cover), premium: money(premium) },
      })),
  };
}

function segmentOf(premium: number): string {
  if (premium >= 500_000) return 'premium';
  if (premium >= 100_000) return 'estandar';
  return premium > 0 ? 'basico' : 'sin_poliza';
}

/** What `/cross/analytics/agent-performance` must answer. */
export function expectedAgents({ mysql, postgresql }: Sample) {
  const policies = [...postgresql.policies()];
  const sold = groupBy(policies, ({ agent_id }) => agent_id);
  const clients = groupBy(mysql.clients(), ({ agent_id }) => agent_id);
  const rows = [...mysql.agents()].map(({ id, codigo, region }) => {
    const own = sold.get(id) ?? [];
    const assigned = clients.get(id) ?? [];
    const buyers = new Set(own.map(({ client_id }) => client_id));
    const converted = assigned.filter((client) => buyers.has(client.id)).length;
    return { id, codigo, region, own, premium: premiumOf(own), assigned: assigned.length, converted };
  });
  const ranked = byFigure(
    rows,
    (row) => row.premium,
    (row) => row.id,
  );
  const all = rows.flatMap(({ own }) => own);
  const assigned = total(rows.map((row) => row.assigned));
  return {
    agents: ranked.map(({ id, codigo, region, own, premium, assigned, converted }) => ({
      rank: 1 + rows.filter((other) => other.premium > premium).length,
      agent_id: id,
      code: codigo,
      region,
      policies_sold: own.length,
      active_policies: active(own).length,
      premium_total: money(premium),
      clients: assigned,
      conversion_rate: ratio(converted, assigned),
    })),
    totals: {
      agents: rows.length,
      policies_sold: all.length,
      active_policies: active(all).length,
      premium_total: money(premiumOf(all)),
      clients: assigned,
      conversion_rate: ratio(total(rows.map((row) => row.converted)), assigned),
    },
  };
}

/** What `/cross/analytics/claims-vs-policies` must answer. */
export function expectedLosses({ postgresql, cassandra }: Sample) {
  const policies = [...postgresql.policies()];
  const productOf = new Map(policies.map(({ id, product_id }) => [id, product_id]));
  const sold = groupBy(policies, ({ product_id }) => product_id);
  const claims = groupBy(cassandra.reclamos(), ({ policy_id }) => productOf.get(policy_id));
  const payments = groupBy(cassandra.pagos(), ({ policy_id }) => productOf.get(policy_id));
  const sums = [...postgresql.products()].map(({ id, nombre }) => ({
    product: { product_id: id, name: nombre },
    policies: (sold.get(id) ?? []).length,
    claims: (claims.get(id) ?? []).length,
    claimed: total((claims.get(id) ?? []).map((claim) => cents(claim.monto_reclamado))),
    paid: total((payments.get(id) ?? []).map(({ monto }) => cents(monto))),
    premium: premiumOf(sold.get(id) ?? []),
  }));
  const figures = (row: Omit<(typeof sums)[number], 'product'>) => ({
    policies: row.policies,
    claims: row.claims,
    claim_frequency: ratio(row.claims, row.policies),
    claimed: money(row.claimed),
    paid: money(row.paid),
    premium: money(row.premium),
    claim_ratio: ratio(row.claimed, row.premium),
    loss_ratio: ratio(row.paid, row.premium),
  });
  const products = sums.map((row) => ({ ...row.product, ...figures(row) }));
  const rated = products.filter(({ loss_ratio }) => loss_ratio !== null);
  const sum = (name: 'policies' | 'claims' | 'claimed' | 'paid' | 'premium') => total(sums.map((row) => row[name]));
  return {
    products: byFigure(
      products,
      (row) => row.loss_ratio,
      (row) => row.product_id,
    ),
    highest: byFigure(
      rated,
      (row) => row.loss_ratio,
      (row) => row.product_id,
    ).slice(0, 5),
    lowest: byFigure(
      rated,
      (row) => -row.loss_ratio!,
      (row) => row.product_id,
    ).slice(0, 5),
    totals: figures({
      ...{ policies: sum('policies'), claims: sum('claims') },
      ...{ claimed: sum('claimed'), paid: sum('paid'), premium: sum('premium') },
    }),
  };
}

import type { Sample } from '../../demo/sample/insurance/generate';
import { byFigure, cents, daysBetween, groupBy, meanMoney, money, ratio, total } from './figures';

/** What `/cassandra/analytics/claims` must answer, from the generator's rows. */
export function expectedClaims({ cassandra }: Sample) {
  const claims = [...cassandra.reclamos()];
  const claimed = claims.map(({ monto_reclamado }) => cents(monto_reclamado));
  const byType = [...groupBy(claims, ({ tipo }) => tipo)].map(([type, rows]) => ({
    type,
    claims: rows.length,
    mean_amount: meanMoney(total(rows.map((row) => cents(row.monto_reclamado))), rows.length),
  }));
  const byState = [...groupBy(claims, ({ estado }) => estado)].map(([state, rows]) => ({
    state,
    claims: rows.length,
    share: ratio(rows.length, claims.length),
  }));
  return {
    total_claims: claims.length,
    by_type: byFigure(
      byType,
      (row) => row.claims,
      (row) => row.type,
    ),
    by_state: byFigure(
      byState,
      (row) => row.claims,
      (row) => row.state,
    ),
    amounts: {
      mean: meanMoney(total(claimed), claims.length),
      min: money(Math.min(...claimed)),
      max: money(Math.max(...claimed)),
      total: money(total(claimed)),
    },
  };
}

/** What `/cassandra/analytics/claims-payments-correlation` must answer. */
export function expectedPayments({ cassandra }: Sample, asOf: string) {
  const claims = [...cassandra.reclamos()];
  const payments = groupBy(cassandra.pagos(), ({ reclamo_id }) => reclamo_id);
  const paid = claims.flatMap((claim) => {
    const own = payments.get(claim.id);
    if (own === undefined) return [];
    const first = own.map(({ fecha }) => fecha).sort()[0]!;
    return {
      claimed: cents(claim.monto_reclamado),
      paid: total(own.map(({ monto }) => cents(monto))),
      days: daysBetween(claim.fecha, first),
    };
  });
  const inState = (state: string) => claims.filter(({ estado }) => estado === state);
  const approved = inState('aprobado').length;
  const sum = { claimed: total(paid.map((row) => row.claimed)), paid: total(paid.map((row) => row.paid)) };
  return {
    claims: claims.length,
    approved,
    approval_rate: ratio(approved, approved + inState('rechazado').length),
    paid_claims: paid.length,
    mean_days_to_payment: ratio(total(paid.map(({ days }) => days)), paid.length),
    mean_claimed: meanMoney(sum.claimed, paid.length),
    mean_paid: meanMoney(sum.paid, paid.length),
    paid_ratio: ratio(sum.paid, sum.claimed),
    correlation: pearson(paid.map((row) => [row.claimed / 100, row.paid / 100])),
    efficiency: {
      paid_within_7_days: paid.filter(({ days }) => days <= 7).length,
      paid_within_30_days: paid.filter(({ days }) => days <= 30).length,
      pending_over_30_days: inState('pendiente').filter(({ fecha }) => daysBetween(fecha, asOf) > 30).length,
    },
  };
}

function pearson(pairs: readonly (readonly [number, number])[]): number | null {
  const mean = (values: readonly number[]) => total(values) / values.length;
  const [x, y] = [mean(pairs.map(([a]) => a)), mean(pairs.map(([, b]) => b))];
  const covariance = total(pairs.map(([a, b]) => (a - x) * (b - y)));
  const spread = Math.sqrt(total(pairs.map(([a]) => (a - x) ** 2)) * total(pairs.map(([, b]) => (b - y) ** 2)));
  return ratio(covariance, spread);
}

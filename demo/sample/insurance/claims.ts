import { dateText, dayOf, Random } from '../random';
import { decimal, percentOf } from './money';
import { policy } from './policies';
import { offerOf, type ProductType } from './products';
import { AWKWARD_TEXTS } from './vocabulary';
import { LAST_DAY, type World } from './world';

/** cassandra `reclamos`; instants are ISO 8601 in UTC, to the millisecond that Cassandra keeps. */
export interface Claim {
  id: string;
  policy_id: number;
  client_id: number;
  tipo: string;
  estado: 'pendiente' | 'aprobado' | 'rechazado';
  monto_reclamado: string;
  fecha: string;
  descripcion: string | null;
  documentos: string[];
  detalle: Record<string, string>;
}

/** cassandra `pagos` */
export interface Payment {
  id: string;
  reclamo_id: string;
  policy_id: number;
  monto: string;
  fecha: string;
  metodo: 'transferencia' | 'cheque' | 'yape' | '';
}

/** A claim and what its payments are worked out from. */
interface ClaimFacts {
  row: Claim;
  /** In cents. */
  claimed: number;
  day: number;
}

const CLAIM_TYPES: Record<ProductType, readonly string[]> = {
  vida: ['fallecimiento', 'invalidez'],
  salud: ['hospitalización', 'ambulatorio', 'ambulatorio'],
  vehicular: ['choque', 'choque', 'robo'],
  hogar: ['incendio', 'robo', 'sismo'],
  viaje: ['equipaje', 'asistencia médica'],
};

/** Recent claims wait for a decision; of the older ones a few were forgotten. */
const stateOf = (day: number, random: Random): Claim['estado'] => {
  if (random.chance(LAST_DAY - day < 30 ? 70 : 3)) return 'pendiente';
  return random.chance(72) ? 'aprobado' : 'rechazado';
};

const descriptionOf = (random: Random): string | null => {
  const draw = random.int(1, 100);
  if (draw <= 10) return null;
  return draw <= 35
    ? random.pick(AWKWARD_TEXTS)
    : `Siniestro reportado por ${random.pick(['web', 'teléfono', 'agente'])}`;
};

const detailOf = (random: Random): Record<string, string> =>
  random.chance(30) ? {} : { canal: random.pick(['web', 'app']), 'ñ "clave"': random.pick(AWKWARD_TEXTS), vacío: '' };

const claim = (world: World, id: number): ClaimFacts => {
  const random = new Random(world.seed, 'reclamos', id);
  const policyId = random.int(1, world.counts.policies);
  const { client_id, product_id, fecha_inicio, fecha_fin } = policy(world, policyId);
  const { tipo, prima } = offerOf(product_id);
  const day = random.day(dayOf(fecha_inicio), Math.min(dayOf(fecha_fin), LAST_DAY));
  // A claim is worth a few premiums; the free product still pays for something.
  const claimed = random.int(10_000, 20_000 + prima * 3);
  const row: Claim = {
    id: random.uuid(id),
    policy_id: policyId,
    client_id,
    tipo: random.pick(CLAIM_TYPES[tipo]),
    estado: stateOf(day, random),
    monto_reclamado: decimal(claimed),
    fecha: `${dateText(day)}T${random.time(3)}Z`,
    descripcion: descriptionOf(random),
    documentos: Array.from(
      { length: random.int(0, 3) },
      (_, i) => `s3://expedientes/${policyId}/acta, nº ${i + 1}.pdf`,
    ),
    detalle: detailOf(random),
  };
  return { row, claimed, day };
};

export function* reclamos(world: World): Generator<Claim> {
  for (let id = 1; id <= world.counts.reclamos; id++) yield claim(world, id).row;
}

/** Approved claims are paid in one or two parts, up to the amount claimed; one in ten, and the latest, still wait. */
export function* pagos(world: World): Generator<Payment> {
  for (let id = 1; id <= world.counts.reclamos; id++) {
    const { row, claimed, day } = claim(world, id);
    const random = new Random(world.seed, 'pagos', id);
    if (row.estado !== 'aprobado' || random.chance(10)) continue;
    const total = percentOf(claimed, random.int(55, 100));
    const first = random.chance(15) ? percentOf(total, 60) : total;
    // Never on the day of the claim: its time of day may be later than the payment's.
    let paidOn = day + random.int(1, random.chance(40) ? 7 : 75);
    for (const [part, monto] of [first, total - first].entries()) {
      if (monto === 0 || paidOn > LAST_DAY) continue;
      yield {
        id: random.uuid(2 * id + part),
        reclamo_id: row.id,
        policy_id: row.policy_id,
        monto: decimal(monto),
        fecha: `${dateText(paidOn)}T${random.time(3)}Z`,
        metodo: random.pick(['transferencia', 'transferencia', 'cheque', 'yape', '']),
      };
      paidOn += random.int(5, 40);
    }
  }
}

import { dateText, dayOf, Random } from '../random';
import { client } from './clients';
import { decimal, percentOf } from './money';
import { OFFERS, offerOf, type ProductType } from './products';
import { AWKWARD_TEXTS } from './vocabulary';
import { FIRST_DAY, LAST_DAY, type World } from './world';

/** postgresql `policies` */
export interface Policy {
  id: number;
  numero: string;
  client_id: number;
  agent_id: number;
  product_id: number;
  estado: 'activa' | 'vencida' | 'cancelada';
  /** Yearly premium. */
  prima: string;
  suma_asegurada: string;
  fecha_inicio: string;
  fecha_fin: string;
  tags: (string | null)[] | null;
}

/** postgresql `coberturas` */
export interface Cover {
  id: number;
  policy_id: number;
  tipo: string;
  monto: string;
  deducible: string;
}

/** The one policy whose client is not in mysql, and the id it names, out of reach at any scale. */
export const ORPHAN_POLICY_ID = 7;
export const MISSING_CLIENT_ID = 999_999_999;

/** A policy for life ends on the last day that DATE knows. */
const NEVER = '9999-12-31';

const SOLD_PRODUCTS = OFFERS.flatMap(({ activo }, index) => (activo ? [index + 1] : []));

const COVER_TYPES: Record<ProductType, readonly string[]> = {
  vida: ['fallecimiento', 'invalidez', 'sepelio'],
  salud: ['hospitalización', 'ambulatorio', 'oncología'],
  vehicular: ['choque', 'robo', 'responsabilidad civil'],
  hogar: ['incendio', 'robo', 'sismo'],
  viaje: ['asistencia médica', 'equipaje', 'cancelación'],
};

/** Insured amounts in whole soles. */
const INSURED: Record<ProductType, readonly [number, number]> = {
  vida: [50_000, 900_000],
  salud: [20_000, 400_000],
  vehicular: [4_000, 180_000],
  hogar: [30_000, 600_000],
  viaje: [5_000, 90_000],
};

/** Nobody insures every fifth client; the lower ids hold more policies than the others. */
const insuredClient = (world: World, random: Random): number => {
  const most = world.counts.clients;
  const id = random.chance(15) ? random.int(1, Math.ceil(most / 40)) : random.int(1, most);
  return id % 5 === 0 ? id - 1 : id;
};

const tagsOf = (random: Random): Policy['tags'] => {
  const draw = random.int(1, 100);
  if (draw <= 20) return null;
  if (draw <= 40) return [];
  if (draw <= 45) return [random.pick(AWKWARD_TEXTS), null, 'a,b', '{x}'];
  return draw <= 80 ? ['renovación'] : ['vip', 'campaña'];
};

const stateOf = (end: string, random: Random): Policy['estado'] => {
  if (random.chance(9)) return 'cancelada';
  return end < dateText(LAST_DAY) ? 'vencida' : 'activa';
};

export const policy = (world: World, id: number): Policy => {
  const random = new Random(world.seed, 'policies', id);
  const clientId = insuredClient(world, random);
  const productId = random.pick(SOLD_PRODUCTS);
  const { prima, tipo, vitalicio } = offerOf(productId);
  const buyer = client(world, clientId);
  // Nobody buys before they registered; the two clients with an edge as `created_at` are brought back into range.
  const since = Math.min(Math.max(dayOf(buyer.created_at.slice(0, 10)), FIRST_DAY), LAST_DAY);
  const start = random.day(since, LAST_DAY);
  const end = vitalicio ? NEVER : dateText(start + (random.chance(70) ? 365 : 730));
  return {
    id,
    numero: `POL-${dateText(start).slice(0, 4)}-${String(id).padStart(7, '0')}`,
    client_id: id === ORPHAN_POLICY_ID ? MISSING_CLIENT_ID : clientId,
    agent_id: buyer.agent_id !== null && random.chance(65) ? buyer.agent_id : random.int(1, world.counts.agents),
    product_id: productId,
    estado: stateOf(end, random),
    prima: decimal(percentOf(prima, random.int(75, 160))),
    suma_asegurada: decimal(random.int(...INSURED[tipo]) * 100),
    fecha_inicio: dateText(start),
    fecha_fin: end,
    tags: tagsOf(random),
  };
};

export function* policies(world: World): Generator<Policy> {
  for (let id = 1; id <= world.counts.policies; id++) yield policy(world, id);
}

/** One to three of the covers that go with the product of each policy. */
export function* coberturas(world: World): Generator<Cover> {
  let id = 0;
  for (let policyId = 1; policyId <= world.counts.policies; policyId++) {
    const random = new Random(world.seed, 'coberturas', policyId);
    const { tipo } = offerOf(policy(world, policyId).product_id);
    for (const cover of COVER_TYPES[tipo].slice(0, random.int(1, 3))) {
      id++;
      const monto = random.int(100_000, 9_000_000);
      const deducible = random.chance(25) ? 0 : percentOf(monto, random.int(1, 10));
      yield { id, policy_id: policyId, tipo: cover, monto: decimal(monto), deducible: decimal(deducible) };
    }
  }
}

import { dateText, Random } from '../random';
import { decimal } from './money';
import { user } from './users';
import { AWKWARD_TEXTS, NAMES, OCCUPATIONS, REGIONS, RELATIONSHIPS, SURNAMES } from './vocabulary';
import { FIRST_DAY, LAST_DAY, type World } from './world';

/** mysql `clients` */
export interface Client {
  id: number;
  user_id: number;
  ocupacion: string;
  ingreso_mensual: string;
  agent_id: number | null;
  created_at: string;
}

/** mysql `agents` */
export interface Agent {
  id: number;
  user_id: number;
  codigo: string;
  region: string;
  /** A fraction: `0.0850` is 8.5 %. */
  comision: string;
  fecha_ingreso: string;
}

/** mysql `beneficiaries` */
export interface Beneficiary {
  id: number;
  client_id: number;
  nombre: string;
  parentesco: string | null;
  /** The percentages of one client add up to 100.00. */
  porcentaje: string;
}

/** The two ends of MySQL's TIMESTAMP, in UTC. */
const EDGE_TIMESTAMPS: Readonly<Record<number, string>> = { 1: '1970-01-01 00:00:01', 2: '2038-01-19 03:14:07' };

/** Agents whose entry nobody wrote down carry the first DATE that MySQL takes. */
const UNKNOWN_ENTRY_DATE = '1000-01-01';

export const client = (world: World, id: number): Client => {
  const random = new Random(world.seed, 'clients', id);
  const userId = world.counts.agents + id;
  return {
    id,
    user_id: userId,
    ocupacion: random.chance(2) ? random.pick(AWKWARD_TEXTS) : random.pick(OCCUPATIONS),
    ingreso_mensual: decimal(random.chance(2) ? 0 : random.int(102_500, 1_800_000)),
    agent_id: random.chance(10) ? null : random.int(1, world.counts.agents),
    created_at: EDGE_TIMESTAMPS[id] ?? user(world, userId).created_at.slice(0, 19),
  };
};

export function* clients(world: World): Generator<Client> {
  for (let id = 1; id <= world.counts.clients; id++) yield client(world, id);
}

export function* agents(world: World): Generator<Agent> {
  for (let id = 1; id <= world.counts.agents; id++) {
    const random = new Random(world.seed, 'agents', id);
    yield {
      id,
      user_id: id,
      codigo: `AG-${String(id).padStart(5, '0')}`,
      region: random.pick(REGIONS),
      comision: `0.${String(random.int(300, 1_500)).padStart(4, '0')}`,
      fecha_ingreso: id === 3 ? UNKNOWN_ENTRY_DATE : dateText(random.day(FIRST_DAY - 3_000, LAST_DAY)),
    };
  }
}

/** Splits 100 % into `parts`; the first takes what the division leaves over. */
const shares = (parts: number): number[] => {
  const each = Math.floor(10_000 / parts);
  return Array.from({ length: parts }, (_, i) => (i === 0 ? 10_000 - each * (parts - 1) : each));
};

export function* beneficiaries(world: World): Generator<Beneficiary> {
  let id = 0;
  for (let clientId = 1; clientId <= world.counts.clients; clientId++) {
    const random = new Random(world.seed, 'beneficiaries', clientId);
    const parts = random.int(0, 3);
    if (parts === 0) continue;
    for (const share of shares(parts)) {
      id++;
      const name = `${random.pick(NAMES[random.pick(['F', 'M'] as const)])} ${random.pick(SURNAMES)}`;
      yield {
        id,
        client_id: clientId,
        nombre: random.chance(2) ? random.pick(AWKWARD_TEXTS) : name,
        parentesco: random.pick(RELATIONSHIPS),
        porcentaje: decimal(share),
      };
    }
  }
}

import { Random } from '../random';
import { user } from './users';
import { FIRST_DAY, LAST_DAY, type World } from './world';

/** cassandra `auditoria`: by day, then time. */
export interface AuditEntry {
  /** The day of `ts`. */
  dia: string;
  /** ISO 8601, UTC; no two entries share one. */
  ts: string;
  /** Table and id. */
  entidad: string;
  accion: 'crear' | 'actualizar' | 'eliminar' | 'consultar';
  /** Email of the agent who did it, '' for the system itself. */
  usuario: string;
}

const DAY_MS = 86_400_000;

export function* auditoria(world: World): Generator<AuditEntry> {
  const { auditoria: total, agents, clients, policies } = world.counts;
  // Each entry gets its own slice of time, which keeps the instants unique and in order.
  const slice = Math.floor(((LAST_DAY - FIRST_DAY) * DAY_MS) / total);
  for (let id = 1; id <= total; id++) {
    const random = new Random(world.seed, 'auditoria', id);
    const ts = new Date(FIRST_DAY * DAY_MS + (id - 1) * slice + random.int(0, slice - 1)).toISOString();
    yield {
      dia: ts.slice(0, 10),
      ts,
      entidad: random.chance(60) ? `policies/${random.int(1, policies)}` : `clients/${random.int(1, clients)}`,
      accion: random.pick(['crear', 'actualizar', 'actualizar', 'eliminar', 'consultar']),
      usuario: random.chance(10) ? '' : user(world, random.int(1, agents)).email,
    };
  }
}

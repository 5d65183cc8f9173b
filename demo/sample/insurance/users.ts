import { dateText, dayOf, Random } from '../random';
import { AWKWARD_TEXTS, NAMES, REGIONS, SURNAMES } from './vocabulary';
import { FIRST_DAY, LAST_DAY, type World } from './world';

/** mysql `users`: agents first, then clients, then people who hold neither role. */
export interface User {
  id: number;
  nombre: string;
  apellido: string;
  email: string;
  /** Eight digits, leading zeros count. */
  dni: string;
  /** Must never leave the database: holds `PASSWORD_CANARY`. */
  password_hash: string;
  rol: 'agente' | 'cliente' | 'admin' | 'visitante';
  /** Region of Peru. */
  estado: string;
  fecha_nacimiento: string;
  genero: 'F' | 'M' | 'X' | '' | null;
  created_at: string;
}

/** Stands in every password hash; to be searched for wherever one must not turn up. */
export const PASSWORD_CANARY = 'CANARYneverLeaves';

/** Birthdays of the last users, counted from the end: before 32-bit time, around the epoch, a leap day, a newborn. */
const EDGE_BIRTHDAYS: Readonly<Record<number, string>> = {
  0: '1900-01-01',
  1: '2000-02-29',
  2: '1969-12-31',
  3: '1970-01-01',
  4: '2026-10-31',
};

/** Spread over all eight digits without repeating: the factor shares no divisor with 10^8. */
const dniOf = (id: number): string => String((id * 48_271 + 1_234_567) % 100_000_000).padStart(8, '0');

const ascii = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[^a-zA-Z]/g, '')
    .toLowerCase();

const roleOf = ({ counts }: World, id: number, random: Random): User['rol'] => {
  if (id <= counts.agents) return 'agente';
  if (id <= counts.agents + counts.clients) return 'cliente';
  return random.chance(5) ? 'admin' : 'visitante';
};

const genderOf = (name: 'F' | 'M', random: Random): User['genero'] => {
  const draw = random.int(1, 100);
  if (draw <= 4) return null;
  if (draw <= 6) return '';
  return draw <= 8 ? 'X' : name;
};

export const user = (world: World, id: number): User => {
  const random = new Random(world.seed, 'users', id);
  const kind = random.pick(['F', 'M'] as const);
  const nombre = random.pick(NAMES[kind]);
  const apellido = `${random.pick(SURNAMES)} ${random.pick(SURNAMES)}`;
  // The later of two draws: registrations grow over the years.
  const registered = Math.max(random.day(FIRST_DAY, LAST_DAY), random.day(FIRST_DAY, LAST_DAY));
  return {
    id,
    nombre: random.chance(1) ? `${nombre} ${random.pick(AWKWARD_TEXTS)}` : nombre,
    apellido,
    email: `${ascii(nombre)}.${ascii(apellido)}.${id}@correo.example`,
    dni: dniOf(id),
    password_hash: `$2b$10$${PASSWORD_CANARY}${String(random.bits()).padStart(36, '.')}`,
    rol: roleOf(world, id, random),
    estado: random.pick(REGIONS),
    fecha_nacimiento:
      EDGE_BIRTHDAYS[world.counts.users - id] ?? dateText(random.day(dayOf('1941-01-01'), dayOf('2008-12-31'))),
    genero: genderOf(kind, random),
    created_at: `${dateText(registered)} ${random.time(6)}`,
  };
};

export function* users(world: World): Generator<User> {
  for (let id = 1; id <= world.counts.users; id++) yield user(world, id);
}

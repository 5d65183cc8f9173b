import { dateText, dayOf, Random } from '../random';

/** A row of a delivered file: text as it came. */
export type Delivered = Readonly<Record<string, string>>;

/** The files that a shop delivers, by table. */
export interface Delivery {
  productos: () => Generator<Delivered>;
  clientes: () => Generator<Delivered>;
  ventas: () => Generator<Delivered>;
  inventario: () => Generator<Delivered>;
}

/** What the shop sells: name, category, price. */
const PRODUCTS = [
  ['Audífonos "Andes"', 'Electronicos', '129.90'],
  ['Cargador USB-C', 'Electronicos', '49.50'],
  ['Polo de algodón', 'Ropa', '35.00'],
  ['Casaca, impermeable', 'Ropa', '189.00'],
  ['Chompa de alpaca', 'Ropa', '240.00'],
  ['Olla de barro', 'Hogar', '79.90'],
  ['Manta ñandutí', 'Hogar', '99.00'],
  ['Café de Jaén 1 kg', 'Alimentos', '62.00'],
  ['Quinua 5 kg', 'Alimentos', '58.40'],
  ['Pelota n.º 5', 'Deportes', '89.00'],
] as const;

const CITIES = ['Lima', 'Arequipa', 'Cusco', 'Trujillo', 'Ñaña', ''] as const;
const CLIENTS = 20;
const SALES = 5_500;
const FIRST_SALE = dayOf('2023-01-01');
const LAST_SALE = dayOf('2026-10-31');
/** Dates that cannot be: nothing was sold then yet. */
const TO_COME = [dayOf('2031-01-01'), dayOf('2031-12-31')] as const;

export const productId = (n: number): string => `prod${String(n).padStart(3, '0')}`;
const clientId = (n: number): string => `cli${String(n).padStart(3, '0')}`;

/**
 * The sales sample: CSV deliveries as they come, with dates in several forms, products and clients that nobody knows,
 * and dates that are still to come. A pure function of the seed.
 *
 * @throws RangeError when the seed is no integer.
 */
export function deliver(seed = 20_240_229): Delivery {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be an integer, not ${seed}`);
  return {
    productos: () => productos(),
    clientes: () => clientes(seed),
    ventas: () => ventas(seed),
    inventario: () => inventario(seed),
  };
}

function* productos(): Generator<Delivered> {
  for (const [index, [nombre, categoria, precio]] of PRODUCTS.entries()) {
    yield { producto_id: productId(index + 1), nombre, categoria, precio };
  }
}

function* clientes(seed: number): Generator<Delivered> {
  for (let id = 1; id <= CLIENTS; id++) {
    const random = new Random(seed, 'clientes', id);
    yield {
      cliente_id: clientId(id),
      nombre: `Bodega ${id}, "La ${random.pick(['Unión', 'Ñusta', 'Paz'])}"`,
      ciudad: random.pick(CITIES),
    };
  }
}

function* ventas(seed: number): Generator<Delivered> {
  for (let id = 1; id <= SALES; id++) {
    const random = new Random(seed, 'ventas', id);
    // Two in a hundred name a product, or a client, that no file knows.
    const product = random.chance(2) ? random.int(11, 14) : random.int(1, PRODUCTS.length);
    const client = random.chance(2) ? random.int(CLIENTS + 1, CLIENTS + 9) : random.int(1, CLIENTS);
    const quantity = random.int(1, 5);
    yield {
      venta_id: String(id),
      producto_id: productId(product),
      cliente_id: clientId(client),
      cantidad: random.chance(3) ? `${quantity}.0` : String(quantity),
      fecha: dateIn(random, random.chance(1) ? random.day(...TO_COME) : random.day(FIRST_SALE, LAST_SALE)),
    };
  }
}

/** Whoever typed it in had their own way of writing a date. */
function dateIn(random: Random, day: number): string {
  const date = dateText(day);
  const [year, month, dayOfMonth] = date.split('-');
  return random.pick([
    date,
    date,
    `${dayOfMonth}/${month}/${year}`,
    `${date} ${random.time(0)}`,
    `${Number(month)}-${Number(dayOfMonth)}-${year!.slice(2)}`,
  ]);
}

function* inventario(seed: number): Generator<Delivered> {
  for (let id = 1; id <= PRODUCTS.length; id++) {
    const random = new Random(seed, 'inventario', id);
    yield { producto_id: productId(id), stock: String(random.int(0, 400)), fecha: dateText(LAST_SALE) };
  }
}

import { dateText, Random } from '../random';
import { decimal } from './money';
import { FIRST_DAY, type World } from './world';

export type ProductType = 'vida' | 'salud' | 'vehicular' | 'hogar' | 'viaje';

/** postgresql `products` */
export interface Product {
  id: number;
  codigo: string;
  nombre: string;
  tipo: ProductType;
  prima_base: string;
  costo_base: string;
  activo: boolean;
  atributos: Record<string, unknown> | null;
  created_at: string;
}

interface Offer {
  nombre: string;
  tipo: ProductType;
  /** Yearly, in cents. */
  prima: number;
  /** What one policy costs, in cents. */
  costo: number;
  /** False: no longer sold, and nobody ever bought it. */
  activo: boolean;
  /** Policies of this product have no end. */
  vitalicio: boolean;
  atributos: Record<string, unknown> | null;
}

const offer = (tipo: ProductType, nombre: string, prima: number, costo: number, rest: Partial<Offer> = {}): Offer => ({
  ...{ tipo, nombre, prima, costo },
  ...{ activo: true, vitalicio: false, atributos: { plazo_meses: 12, canal: ['web', 'agente'] } },
  ...rest,
});

/** The catalogue is the same at any scale. */
export const OFFERS: readonly Offer[] = [
  offer('vida', 'Vida Entera', 240_000, 150_000, { vitalicio: true, atributos: { edad_maxima: 65, ahorro: true } }),
  offer('vida', 'Vida Temporal "10 años"', 96_000, 51_050, { atributos: { nota: 'incluye "sepelio", sin límite' } }),
  offer('vida', 'Vida Crédito', 18_990, 9_900, { atributos: {} }),
  offer('salud', 'Salud Familiar', 310_000, 265_000, { atributos: { red: { clinicas: 42, niños: true } } }),
  offer('salud', 'Salud Básica, plan EPS', 89_900, 71_025),
  offer('salud', 'Oncológico Ñ+', 64_950, 30_000, { atributos: null }),
  offer('salud', 'Dental\nFamiliar', 35_900, 33_000, { atributos: { lema: 'sonríe\n😁' } }),
  offer('vehicular', 'Todo Riesgo', 198_000, 160_033, { atributos: { gps: true, taller: "D'Angelo" } }),
  offer('vehicular', 'SOAT', 12_000, 8_150),
  // Costs more than it earns: a profitability report needs a loss.
  offer('vehicular', 'Taxi Protegido', 145_000, 214_500, { atributos: { tope: '12345678901234567890' } }),
  offer('hogar', 'Hogar Seguro 🏠', 42_000, 21_000),
  offer('hogar', 'Contra Sismo', 77_700, 25_010, { atributos: { zonas: [1, 2, 3, null], factor: 1.5 } }),
  offer('viaje', 'Viaje Andino', 9_900, 4_050),
  offer('viaje', 'Viaje Internacional', 29_990, 17_500),
  // Free of charge, free of cost: figures that divide by them have no answer.
  offer('viaje', 'Cobertura de cortesía', 0, 0, { atributos: { '': 'clave vacía' } }),
  offer('hogar', 'Alquiler (descontinuado)', 55_000, 30_000, { activo: false }),
  offer('vida', 'Renta Vitalicia (próximamente)', 500_000, 420_000, { activo: false, vitalicio: true }),
];

/** The offer behind a product; throws RangeError on an id that is not in the catalogue. */
export const offerOf = (productId: number): Offer => {
  const found = OFFERS[productId - 1];
  if (!found) throw new RangeError(`no product ${productId}`);
  return found;
};

/** The first and the last instant that the databases and the readers behind them agree on. */
const EDGE_INSTANTS: Readonly<Record<number, string>> = {
  16: '1000-01-01 00:00:00+00',
  17: '9999-12-31 23:59:59.999999+00',
};

export function* products(world: World): Generator<Product> {
  for (const [index, { nombre, tipo, prima, costo, activo, atributos }] of OFFERS.entries()) {
    const id = index + 1;
    const random = new Random(world.seed, 'products', id);
    yield {
      id,
      codigo: `${tipo.slice(0, 3).toUpperCase()}-${String(id).padStart(3, '0')}`,
      nombre,
      tipo,
      prima_base: decimal(prima),
      costo_base: decimal(costo),
      activo,
      atributos,
      created_at: EDGE_INSTANTS[id] ?? `${dateText(random.day(FIRST_DAY - 365, FIRST_DAY))} ${random.time(6)}+00`,
    };
  }
}

import type { Tables } from '../../demo/sample/write-csv-files';
import { lakeOf, type SampleLake, type Typing } from './sample-lake';

type Cell = string | number | boolean | null;

/** Rows under the names of the columns. */
const table = (columns: string, ...rows: readonly Cell[][]) => {
  const names = columns.split(' ');
  return () => rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])));
};

/** All that the shipped routes read, with nothing in it. */
const EMPTY: Record<string, Tables> = {
  mysql: { users: () => [], clients: () => [], agents: () => [] },
  postgresql: { products: () => [], policies: () => [], coberturas: () => [] },
  cassandra: { reclamos: () => [], pagos: () => [] },
  ventas: { productos: () => [], ventas: () => [] },
};

/** Keys that are NULL or lead nowhere, nothing to divide by, amounts whose means are half cents, cells that are no numbers. */
const AWKWARD: Record<string, Tables> = {
  mysql: {
    users: table(
      'id estado fecha_nacimiento genero created_at',
      [1, 'Lima', '2000-11-04', 'F', '2026-11-01 00:00:00'],
      [2, null, null, null, null],
      [3, null, '2000-11-04', 'F', '2026-12-01 00:00:00'],
      [4, 'Lima', '1926-11-03', '', '2020-01-31 23:59:59.999999'],
      [5, 'Cusco', '2008-11-03', 'M', '2025-11-30 12:00:00'],
      [6, 'Puno', null, 'F', '2026-11-30 23:59:59'],
    ),
    clients: table('id user_id agent_id', [1, 1, 1], [2, 2, null], [3, 99, 1], [4, null, 7]),
    agents: table('id codigo region', [1, 'A-1', 'Lima'], [2, 'A-2', null]),
  },
  postgresql: {
    products: table(
      'id nombre tipo costo_base activo',
      [1, 'Vida', 'vida', '0.50', true],
      [2, 'Gratis', null, '0.00', true],
      [3, null, 'vida', null, null],
    ),
    policies: table(
      'id client_id agent_id product_id estado prima suma_asegurada',
      [1, 1, 1, 1, 'activa', '1.00', '8.57'],
      [2, 1, 1, 1, 'activa', '1.01', '8.58'],
      [3, 2, null, 2, 'activa', '0.00', null],
      [4, null, 1, null, null, null, null],
      [5, 9, 9, 9, 'cancelada', '3.00', null],
    ),
    coberturas: table('tipo monto deducible', ['a', '1.00', '8.57'], ['a', '1.01', '8.58'], [null, null, null]),
  },
  cassandra: {
    reclamos: table(
      'id policy_id tipo estado monto_reclamado fecha',
      ['r1', 1, 'choque', 'aprobado', '1.00', '2026-11-01T23:59:59.999Z'],
      ['r2', 1, 'choque', 'aprobado', '1.01', '2026-11-01T00:00:00.000Z'],
      ['r3', null, null, 'pendiente', null, '2026-10-05T10:00:00.000Z'],
      ['r4', 99, 'robo', null, null, null],
    ),
    pagos: table(
      'reclamo_id policy_id monto fecha',
      ['r1', 1, '1.00', '2026-11-08T00:00:00.000Z'],
      ['r2', 1, '1.01', '2026-12-01T00:00:00.000Z'],
      [null, null, '5.00', null],
      ['r9', 5, null, '2026-12-01T00:00:00.000Z'],
    ),
  },
  ventas: {
    productos: table('producto_id categoria', ['p1', 'Zapatos'], ['p1', 'Ropa'], ['p2', null], [null, '?'], ['p3', '']),
    ventas: table(
      'producto_id cantidad',
      ...['2', ' 3.0 ', '1e1', 'nan', 'NaN', 'inf', '-Infinity', '1e300', '-1e400', '1_000', '', 'dos', null].map(
        (cell): Cell[] => ['p1', cell],
      ),
      ...[
        ['p2', '4'],
        [null, '9'],
        ['p3', 'x'],
        ['p9', '1'],
      ],
    ),
  },
};

/**
 * Claims and payments that do not vary, which a correlation divides by; sums whose cents are more than 64 bits hold; and
 * 41 of 640, whose seventh digit is a five that no double holds.
 */
const EXTREME: Record<string, Tables> = {
  ...EMPTY,
  mysql: {
    ...EMPTY.mysql,
    users: table(
      'id estado fecha_nacimiento genero created_at',
      ...Array.from({ length: 640 }, (_, index): Cell[] => [index, index < 41 ? 'Lima' : 'Cusco', null, null, null]),
    ),
  },
  postgresql: {
    ...EMPTY.postgresql,
    products: table('id nombre tipo costo_base activo', [1, 'Todo', 'todo', '0.00', true]),
    policies: table(
      'id client_id agent_id product_id estado prima suma_asegurada',
      ...Array.from({ length: 10 }, (_, index): Cell[] => [
        ...[index, 1, 1, 1, 'activa'],
        ...['9999999999999999.99', '9999999999999999.99'],
      ]),
    ),
  },
  cassandra: {
    reclamos: table(
      'id policy_id tipo estado monto_reclamado fecha',
      ['r1', 1, 'robo', 'rechazado', '7.00', '2026-11-01T00:00:00.000Z'],
      ['r2', 1, 'robo', 'rechazado', '7.00', '2026-11-01T00:00:00.000Z'],
    ),
    pagos: table(
      'reclamo_id policy_id monto fecha',
      ['r1', 1, '0.00', '2026-11-01T00:00:00.000Z'],
      ['r2', 1, '0.00', '2026-11-01T00:00:00.000Z'],
    ),
  },
};

const HAND_MADE = { empty: EMPTY, awkward: AWKWARD, extreme: EXTREME };

/** A small lake whose figures anybody can work out. */
export const handMadeLake = (name: keyof typeof HAND_MADE, typing: Typing): Promise<SampleLake> =>
  lakeOf(HAND_MADE[name], typing);

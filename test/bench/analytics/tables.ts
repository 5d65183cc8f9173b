import type { Column, LogicalType } from '@ingesta/kit';

/** A table of the insurance pack: how many rows, and what stands in row `n`, in SQL. */
export interface BenchTable {
  readonly database: string;
  readonly table: string;
  readonly rows: number;
  readonly columns: readonly BenchColumn[];
}

export interface BenchColumn extends Column {
  readonly sql: string;
}

const column = (name: string, logical_type: LogicalType, source_type: string, sql: string): BenchColumn => ({
  ...{ name, logical_type, source_type, nullable: true },
  sql,
});
/** A number from 0 below `below`, another one for each row and `seed`. */
const some = (seed: number, below: number): string => `CAST(hash(n * 31 + ${seed}) % ${below} AS bigint)`;
const oneOf = (seed: number, ...words: string[]): string => {
  const list = words.map((word) => `'${word}'`).join(', ');
  return `[${list}][1 + ${some(seed, words.length)}]`;
};
const money = (seed: number, most: number): string => `CAST(${some(seed, most * 100)} / 100.0 AS decimal(14, 2))`;
const day = (seed: number, first: string, days: number): string =>
  `DATE '${first}' + CAST(${some(seed, days)} AS integer)`;
const moment = (seed: number): string =>
  `strftime(TIMESTAMP '2022-01-01' + to_seconds(${some(seed, 120_000_000)}), '%Y-%m-%d %H:%M:%S')`;
/** Ids count from 1. */
const id = column('id', 'integer', 'integer', 'n + 1');
const reference = (name: string, seed: number, rows: number) =>
  column(name, 'integer', 'integer', `1 + ${some(seed, rows)}`);
const REGIONS = ['Lima', 'Cusco', 'Arequipa', 'Piura', 'Loreto', 'Puno', 'Tacna', 'Ica'];

/** The tables for so many policies and a fifth as many claims, in the proportions of a large insurer. */
export function benchTables(policies: number): BenchTable[] {
  const claims = Math.ceil(policies / 5);
  const clients = Math.ceil(policies / 10);
  const [agents, products] = [1000, 100];
  const instant = (name: string, seed: number) => column(name, 'timestamptz', 'timestamp', `${moment(seed)} || '+00'`);
  return [
    {
      ...{ database: 'mysql', table: 'users', rows: clients + agents },
      columns: [
        id,
        column('nombre', 'text', 'varchar(120)', `'Nombre ' || n`),
        column('estado', 'text', 'varchar(40)', oneOf(1, ...REGIONS)),
        column('fecha_nacimiento', 'date', 'date', day(2, '1940-01-01', 24_000)),
        column('genero', 'text', 'varchar(1)', oneOf(3, 'F', 'M', 'X')),
        column('created_at', 'timestamp', 'datetime(6)', `${moment(4)} || '.000000'`),
      ],
    },
    {
      ...{ database: 'mysql', table: 'clients', rows: clients },
      columns: [id, column('user_id', 'integer', 'int', 'n + 1'), reference('agent_id', 5, agents)],
    },
    {
      ...{ database: 'mysql', table: 'agents', rows: agents },
      columns: [
        id,
        column('codigo', 'text', 'varchar(12)', `'A' || lpad(CAST(n AS varchar), 6, '0')`),
        column('region', 'text', 'varchar(40)', oneOf(6, ...REGIONS)),
      ],
    },
    {
      ...{ database: 'postgresql', table: 'products', rows: products },
      columns: [
        id,
        column('nombre', 'text', 'text', `'Producto ' || n`),
        column('tipo', 'text', 'varchar(20)', oneOf(7, 'vida', 'salud', 'auto', 'hogar')),
        column('costo_base', 'decimal', 'numeric(12,2)', money(8, 1000)),
        column('activo', 'boolean', 'boolean', 'n % 10 > 0'),
      ],
    },
    {
      ...{ database: 'postgresql', table: 'policies', rows: policies },
      columns: [
        id,
        column('numero', 'text', 'varchar(20)', `'POL-' || lpad(CAST(n AS varchar), 9, '0')`),
        reference('client_id', 9, clients),
        reference('agent_id', 10, agents),
        reference('product_id', 11, products),
        column('estado', 'text', 'varchar(10)', oneOf(12, 'activa', 'vencida', 'cancelada')),
        column('prima', 'decimal', 'numeric(12,2)', money(13, 9000)),
        column('suma_asegurada', 'decimal', 'numeric(14,2)', money(14, 900_000)),
        column('fecha_inicio', 'date', 'date', day(15, '2018-01-01', 2500)),
        column('fecha_fin', 'date', 'date', day(16, '2025-01-01', 2500)),
        column('tags', 'json', 'text[]', oneOf(17, '["web","nuevo"]', '["agencia"]', '[]')),
      ],
    },
    {
      ...{ database: 'postgresql', table: 'coberturas', rows: clients },
      columns: [
        id,
        reference('policy_id', 18, policies),
        column('tipo', 'text', 'varchar(40)', oneOf(19, 'muerte', 'robo', 'incendio', 'choque', 'consulta')),
        column('monto', 'decimal', 'numeric(14,2)', money(20, 500_000)),
        column('deducible', 'decimal', 'numeric(14,2)', money(21, 5000)),
      ],
    },
    {
      ...{ database: 'cassandra', table: 'reclamos', rows: claims },
      columns: [
        column('id', 'text', 'uuid', `'r-' || n`),
        reference('policy_id', 22, policies),
        column('tipo', 'text', 'text', oneOf(23, 'choque', 'robo', 'consulta', 'incendio')),
        column('estado', 'text', 'text', oneOf(24, 'pendiente', 'aprobado', 'rechazado')),
        column('monto_reclamado', 'decimal', 'decimal', money(25, 20_000)),
        instant('fecha', 26),
        column('descripcion', 'text', 'text', `'Siniestro ' || n || ', "urgente"' || chr(10) || 'sin testigos'`),
      ],
    },
    {
      ...{ database: 'cassandra', table: 'pagos', rows: Math.ceil(claims / 2) },
      columns: [
        column('reclamo_id', 'text', 'uuid', `'r-' || n * 2`),
        reference('policy_id', 27, policies),
        column('monto', 'decimal', 'decimal', money(28, 15_000)),
        instant('fecha', 29),
      ],
    },
  ];
}

import { median } from '../statistics';
import type { Verdict } from './bounds';
import type { Figure } from './rounds';
import type { SeriesPoint } from './series';

const MB = 1e6;
const MiB = 2 ** 20;

/** The comparison as a Markdown table: fastest first, then those without figures and why. */
export function comparisonTable(figures: readonly Figure[]): string {
  const reference = figures.find(({ role, problem }) => role === 'reference' && problem === undefined);
  const base = reference && reference.runs.length > 0 ? median(reference.runs) : undefined;
  const measured = figures
    .filter(({ problem, runs }) => problem === undefined && runs.length > 0)
    .sort((a, b) => median(a.runs) - median(b.runs));
  const failed = figures.filter((figure) => !measured.includes(figure));
  return table(
    ['', 'median s', 'min – max', 'ratio', 'CPU s', 'peak RSS MiB', 'output MB', 'runs', 'version'],
    [
      ...measured.map((figure) => [
        named(figure),
        seconds(median(figure.runs)),
        `${seconds(Math.min(...figure.runs))} – ${seconds(Math.max(...figure.runs))}`,
        base === undefined ? '–' : (median(figure.runs) / base).toFixed(2),
        cpuSeconds(figure),
        figure.peakRss === null ? '–' : (figure.peakRss / MiB).toFixed(0),
        figure.output?.bytes == null ? '–' : (figure.output.bytes / MB).toFixed(1),
        String(figure.runs.length),
        figure.version,
      ]),
      ...failed.map((figure) => [
        named(figure),
        `${figure.version === '' ? 'absent' : 'failed'}: ${figure.problem ?? 'never ran'}`,
        '',
        '',
        '',
        '',
        '',
        '',
        figure.version,
      ]),
    ],
  );
}

/** The promises as a Markdown table. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    ['promise', 'bound', 'measured', ''],
    verdicts.map(({ what, bound, measured, met }) => [
      what,
      bound,
      measured === undefined ? '–' : measured.toFixed(measured < 10 ? 2 : 0),
      met === undefined ? 'not measured' : met ? 'met' : '**not met**',
    ]),
  );
}

/** Time per row and memory by number of rows. The first point is the empty table: what starting and connecting take. */
export function seriesTable(points: readonly SeriesPoint[]): string {
  const start = points.find(({ rows }) => rows === 0)?.ms ?? 0;
  return table(
    ['rows', 'median s', 'µs per row beyond the start', 'peak RSS MiB'],
    points.map(({ rows, to, ms, peakRss }) => [
      `${rows === 0 ? 'none (the start)' : rows.toLocaleString('en')}${to === 'S3' ? ', to S3' : ''}`,
      seconds(ms),
      rows === 0 ? '–' : (((ms - start) * 1000) / rows).toFixed(2),
      peakRss === null ? '–' : (peakRss / MiB).toFixed(0),
    ]),
  );
}

const named = ({ title, role }: Figure): string => (role === 'ours' ? `**${title}**` : title);
/** Of itself and of the servers. A server that takes nothing is none that we started. */
function cpuSeconds({ cpu }: Figure): string {
  if (cpu.length === 0) return '–';
  const servers = median(cpu.map((time) => time.servers));
  return `${seconds(median(cpu.map((time) => time.program)))} + ${servers === 0 ? '–' : seconds(servers)}`;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

/** Rows as a Markdown table; all columns but the first to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(line)].join('\n');
}

/** What would break a table's row: other people's error messages do. */
const cell = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();

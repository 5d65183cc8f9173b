import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Metrics } from '../../gateway/src/metrics/metrics';

const DEPLOY = join(__dirname, '../../deploy');
const read = (file: string) => readFileSync(join(DEPLOY, file), 'utf8');

interface Target {
  expr: string;
}
const dashboard = JSON.parse(read('grafana/ingesta.json')) as { panels: { title: string; targets: Target[] }[] };
const alerts = parse(read('prometheus/ingesta-alerts.yml')) as {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
};
const rules = alerts.groups.flatMap((group) => group.rules);

const expressions: [string, string][] = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
];

/** What each metric is, by the names that Prometheus stores; with the labels that the gateway gives it. */
async function known(): Promise<Map<string, Set<string>>> {
  const metrics = new Metrics('1');
  metrics.watch({
    runs: () => ({ running: 1, queued: 0 }),
    data: async () => ({ lakeUp: true, ageSeconds: { db: 1 } }),
  });
  const failing = Promise.reject(new Error('x'));
  await metrics.run('db', failing).catch(() => undefined);
  await metrics.run('db', Promise.resolve({ answer: { result: { t: { registros: 1, bytes: 1 } } } } as never));
  await metrics.lease('db', failing).catch(() => undefined);
  await metrics.query('/x', failing).catch(() => undefined);
  metrics.cacheHit('/x');
  metrics.request('GET', '/x', 200, 1);
  const series = new Map<string, Set<string>>();
  for (const line of (await metrics.text()).split('\n').filter((text) => /^[a-z]/.test(text))) {
    const [, name = '', labels = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? /.exec(line) ?? [];
    series.set(name, new Set([...labels.matchAll(/([a-z_]+)="/g)].map(([, label]) => label!)));
  }
  // Prometheus makes this one itself.
  return series.set('up', new Set());
}

describe('dashboard and alerts', () => {
  it.each(expressions)('%s asks for metrics that there are', async (_, expr) => {
    const series = await known();
    const named = [...expr.matchAll(/\b((?:ingesta|process|nodejs)_\w+|up)\b/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !series.has(name))).toEqual([]);
  });

  it.each(expressions)('%s asks for labels that they have', async (_, expr) => {
    const series = await known();
    const given = new Set(['job', 'instance']); // Prometheus' own.
    for (const [name, labels] of series) if (expr.includes(name)) for (const label of labels) given.add(label);
    const inBraces = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, text]) => [...text!.matchAll(/(\w+)\s*[=!]/g)]);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, text]) => [...text!.matchAll(/(\w+)/g)]);
    const asked = [...inBraces, ...grouped].map(([, label]) => label!);
    expect(asked.filter((label) => !given.has(label))).toEqual([]);
  });

  it('every alert says what is wrong and what to do', () => {
    expect(rules.length).toBeGreaterThan(0);
    for (const { annotations } of rules) {
      expect(annotations.summary).toMatch(/\w/);
      expect(annotations.description).toMatch(/\w/);
    }
  });

  it('every metric of the gateway is looked at', async () => {
    const all = expressions.map(([, expr]) => expr).join('\n');
    const own = [...(await known()).keys()].filter((name) => name.startsWith('ingesta_'));
    const families = new Set(own.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    expect([...families].filter((family) => !all.includes(family))).toEqual([]);
  });
});

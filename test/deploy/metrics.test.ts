import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Metrics } from '../../gateway/src/metrics/metrics';
import { describeWith, promtoolProgram } from '../services/need';

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

describeWith(['promtool'], 'Prometheus itself', () => {
  const promtool = (...args: string[]) => execFileSync(promtoolProgram(), args, { encoding: 'utf8', stdio: 'pipe' });

  it('takes the rules', () => {
    expect(promtool('check', 'rules', join(DEPLOY, 'prometheus/ingesta-alerts.yml'))).toContain('SUCCESS');
  });

  const counting = expressions.filter(([, expr]) => expr.includes('increase('));

  it('has an alert for each event that somebody must look at', () => {
    const names = rules.map(({ alert }) => alert).filter((alert) => counting.some(([name]) => name === alert));
    expect(names).toEqual(['IngestaRunFailed', 'IngestaGatewayDiedInARun', 'IngestaServerErrors']);
  });

  // Prometheus sees no increase in a series that begins with its first event.
  it.each(counting)('%s counts the first event as well as a later one, and none twice', (_, text) => {
    const expr = text.replaceAll('$__range', '1h');
    const [, metric, matchers = ''] = /increase\((\w+)(?:\{(.*?)\})?\[/.exec(expr)!;
    const by = /^sum by \((.*?)\)/.exec(expr)![1]!.split(', ');
    const labels = by.map((label) => `${label}="x"`);
    const series = `${metric}{${[...labels, 'job="ingesta"', matchers].filter(Boolean).join()}}`;
    const one = [{ labels: `{${labels.join()}}`, value: 1 }];
    const tests = [
      { values: '_x90 1x20', exp_samples: one },
      { values: '5x90 6x20', exp_samples: one },
      { values: '5x120', exp_samples: [] },
    ].map(({ values, exp_samples }) => ({
      interval: '1m',
      input_series: [{ series, values }],
      promql_expr_test: [{ expr: `round(${expr}) > 0`, eval_time: '100m', exp_samples }],
    }));
    const folder = mkdtempSync(join(tmpdir(), 'ingesta-promtool-'));
    try {
      writeFileSync(join(folder, 'tests.yml'), JSON.stringify({ tests }));
      expect(promtool('test', 'rules', join(folder, 'tests.yml'))).toContain('SUCCESS');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICE_NAMES } from '../services/service';
import { type JestRun, servicesNeeded } from './services-needed';

const needs = (...services: string[]) =>
  `describeWith([${services.map((name) => `'${name}'`).join(', ')}], 'it', () => {`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingesta-needed-'));
  const files = {
    'sql/pg.test.ts': `${needs('postgresql')}\n${needs('postgresql', 's3')}`,
    'sql/mysql.test.ts': `describeWith(\n  ['mysql'],`,
    'trino.test.ts': needs('trino'),
    'unit.test.ts': "describe('it', () => {",
    'sql/node_modules/other.test.ts': needs('cassandra'),
    'not-a-test.ts': needs('mongodb'),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (pattern: string | null, more: Partial<JestRun> = {}) =>
  servicesNeeded(
    {
      ...{ rootDir: folder, onlyChanged: false, findRelatedTests: false, runTestsByPath: false, ...more },
      testPathPatterns: {
        isSet: () => pattern !== null,
        toExecutor: () => ({ isMatch: (path) => path.slice(folder.length).includes(pattern ?? '') }),
      },
    },
    [folder],
  );

it('are those that the chosen files name, and an engine where they might run', () => {
  expect(run('sql')).toEqual(['docker', 'postgresql', 'mysql', 's3']);
  expect(run('mysql.test')).toEqual(['docker', 'mysql']);
});

it('are none where no file names any', () => expect(run('unit')).toEqual([]));

it('are also those that another one reads from', () => expect(run('trino')).toEqual(['docker', 's3', 'moto', 'trino']));

it('are all where no file was chosen by its name', () => {
  expect(run(null)).toEqual(SERVICE_NAMES);
  expect(run('unit', { onlyChanged: true })).toEqual(SERVICE_NAMES);
});

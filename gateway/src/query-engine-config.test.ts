import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig } from './config';

const BUCKET = { AWS_BUCKET_NAME: 'bucket' };
const TRINO = { ...BUCKET, QUERY_ENGINE: 'trino', TRINO_URL: 'https://trino.example:8443' };

it('asks Trino with a catalog in Glue unless told otherwise', () => {
  expect(parseConfig(TRINO)).toMatchObject({
    queryEngine: 'trino',
    glueCatalog: true,
    glueDatabase: 'primac_analytics_db',
    trino: { url: TRINO.TRINO_URL, catalog: 'hive', schema: 'primac_analytics_db', user: 'ingesta', password: null },
    athena: null,
  });
});

it('asks Athena in its primary workgroup unless told otherwise', () => {
  expect(parseConfig({ ...BUCKET, QUERY_ENGINE: 'athena', GLUE_DATABASE: 'mine' })).toMatchObject({
    queryEngine: 'athena',
    glueCatalog: true,
    glueDatabase: 'mine',
    trino: null,
    athena: { workgroup: 'primary', output: null },
  });
});

it('keeps a catalog beside DuckDB where asked to', () => {
  expect(parseConfig({ ...BUCKET, GLUE_CATALOG: 'on' })).toMatchObject({ queryEngine: 'duckdb', glueCatalog: true });
});

it("reads Trino's password from a file", () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingesta-config-'));
  writeFileSync(join(folder, 'password'), 'secret\n');
  const { trino } = parseConfig({ ...TRINO, TRINO_PASSWORD_FILE: join(folder, 'password') });
  rmSync(folder, { recursive: true });
  expect(trino).toMatchObject({ password: 'secret' });
});

it.each([
  [{ QUERY_ENGINE: 'presto' }, /^QUERY_ENGINE=presto /],
  [{ QUERY_ENGINE: 'trino' }, /^TRINO_URL= must be like/],
  [{ ...TRINO, TRINO_URL: 'trino:8080' }, /^TRINO_URL=trino:8080 /],
  [{ ...TRINO, TRINO_URL: 'http://trino:8080', TRINO_PASSWORD: 'x' }, /https only/],
  [{ ...TRINO, TRINO_PASSWORD_FILE: '/absent/file' }, /TRINO_PASSWORD_FILE/],
  [{ ...TRINO, TRINO_SCHEMA: 'other' }, /^TRINO_SCHEMA=other must be GLUE_DATABASE/],
  [{ ...TRINO, TRINO_SCHEMA: 'a; DROP', GLUE_CATALOG: 'off' }, /^TRINO_SCHEMA=/],
  [{ ...TRINO, TRINO_CATALOG: 'a.b' }, /^TRINO_CATALOG=/],
  [{ QUERY_ENGINE: 'athena', GLUE_CATALOG: 'off' }, /GLUE_CATALOG=off/],
  [{ QUERY_ENGINE: 'athena', ATHENA_OUTPUT: '/tmp' }, /^ATHENA_OUTPUT=/],
  [{ GLUE_CATALOG: 'yes' }, /^GLUE_CATALOG=yes/],
  [{ GLUE_DATABASE: 'a-b' }, /^GLUE_DATABASE=a-b/],
])('names what is wrong with %j', (env, problem) => {
  const parse = () => parseConfig({ ...BUCKET, ...env });
  expect(parse).toThrow(ConfigError);
  const problems = (() => {
    try {
      return parse() && [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  })();
  expect(problems).toEqual([expect.stringMatching(problem)]);
});

it.each([{ QUERY_ENGINE: 'athena' }, { GLUE_CATALOG: 'on' }])('needs a bucket for %j', (env) => {
  expect(() => parseConfig({ LAKE_URL: 'file:///lake', ...env })).toThrow(/needs the lake to be a bucket/);
});

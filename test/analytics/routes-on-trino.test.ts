import { randomUUID } from 'node:crypto';
import { type Lake, openLake } from '@ingesta/kit';
import request from 'supertest';
import { createBucket } from '../e2e/harness/s3';
import { AthenaStandIn } from '../services/athena-stand-in';
import { describeWith, motoEndpoint, trinoUrl } from '../services/need';
import { handMadeLake } from './hand-made-lakes';
import { type AnalyticsApp, analyticsApp, SHIPPED_PATHS } from './sample-app';
import { type SampleLake, sampleLake } from './sample-lake';

/** Relative, where the numbers are not small themselves. */
const TOLERANCE = 1e-9;

/** The differences between two JSON values, each with its path; order counts, also that of fields. */
function differences(here: unknown, there: unknown, path = '$'): string[] {
  if (typeof here === 'number' && typeof there === 'number') {
    const close = Math.abs(here - there) <= TOLERANCE * Math.max(1, Math.abs(here), Math.abs(there));
    return close ? [] : [`${path}: ${here} and ${there}`];
  }
  if (typeof here !== 'object' || typeof there !== 'object' || here === null || there === null)
    return here === there ? [] : [`${path}: ${JSON.stringify(here)} and ${JSON.stringify(there)}`];
  const [ours, theirs] = [Object.entries(here), Object.entries(there)];
  if (JSON.stringify(ours.map(([key]) => key)) !== JSON.stringify(theirs.map(([key]) => key)))
    return [`${path}: ${Object.keys(here)} and ${Object.keys(there)}`];
  return ours.flatMap(([key, value], index) => differences(value, theirs[index]![1], `${path}.${key}`));
}

/** Copies every object: what was committed in one lake is committed in the other. */
async function copyLake(from: Lake, to: Lake): Promise<void> {
  for await (const { key } of from.list('')) {
    if (key.startsWith('_ingesta/')) await to.putIfAbsent(key, (await from.get(key))!.body);
    else await to.create(key, (await from.read(key))!, { contentType: 'text/csv' });
  }
}

/** Settings of a gateway whose tables are in moto's Glue. */
const inGlue = (schema: string) => ({ GLUE_DATABASE: schema, AWS_ENDPOINT_URL_GLUE: motoEndpoint() });
const onTrino = (catalog: string) => ({ QUERY_ENGINE: 'trino', TRINO_URL: trinoUrl(), TRINO_CATALOG: catalog });

/** What they are asked about. */
const LAKES: Record<string, () => Promise<SampleLake>> = {
  'the sample': () => sampleLake('typed'),
  'the sample as text': () => sampleLake('text'),
  'awkward tables': () => handMadeLake('awkward', 'typed'),
  // Some of them empty.
  'extreme tables': () => handMadeLake('extreme', 'typed'),
};

/** What answers beside DuckDB: Trino, and Athena's adapter by way of its API over the same Trino. */
const SERVERS: Record<string, (schema: string, athena: string) => Record<string, string>> = {
  'Trino with Glue': (schema) => ({ ...onTrino('glue'), ...inGlue(schema) }),
  'Trino with a catalog of its own': (schema) => ({ ...onTrino('hive'), GLUE_CATALOG: 'off', TRINO_SCHEMA: schema }),
  "Athena's API": (schema, athena) => ({
    ...{ QUERY_ENGINE: 'athena', AWS_ENDPOINT_URL_ATHENA: athena, ATHENA_OUTPUT: 's3://results/here/' },
    ...inGlue(schema),
  }),
};

describeWith(['moto', 's3', 'trino'], 'the routes on Trino and Athena, against DuckDB', () => {
  describe.each<[keyof typeof LAKES, keyof typeof SERVERS]>([
    ['the sample', 'Trino with Glue'],
    ['the sample as text', 'Trino with a catalog of its own'],
    ['the sample', "Athena's API"],
    ['awkward tables', 'Trino with Glue'],
    ['extreme tables', 'Trino with Glue'],
  ])('over %s, on %s', (tables, name) => {
    let duckdb: AnalyticsApp;
    let server: AnalyticsApp;
    let athena: AthenaStandIn;
    const closing: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const folder = await LAKES[tables]!();
      const env = (await createBucket()).settings(false);
      const lake = await openLake(env);
      await copyLake(folder.lake, lake);
      duckdb = await analyticsApp(folder);
      athena = new AthenaStandIn(trinoUrl(), 'glue');
      const own = SERVERS[name]!(`test_${randomUUID().replaceAll('-', '')}`, await athena.start());
      server = await analyticsApp({ lake, env }, own);
      closing.push(
        duckdb.close,
        server.close,
        folder.remove,
        () => lake.close(),
        () => athena.stop(),
      );
    }, 120_000);
    afterAll(async () => {
      for (const close of closing) await close();
    });

    it.each([...SHIPPED_PATHS, '/mysql/analytics/growth-by-state?months=36'])(
      '%s answers with the same JSON',
      async (path) => {
        const [ours, theirs] = await Promise.all([duckdb, server].map(({ app }) => request(app).get(path)));
        for (const { status, text } of [ours!, theirs!]) expect(status === 200 ? 200 : text).toBe(200);
        // Text beside the values: JavaScript would sort fields called by numbers.
        expect(theirs!.text.replace(/[\d.eE+-]+/g, '0')).toBe(ours!.text.replace(/[\d.eE+-]+/g, '0'));
        expect(differences(ours!.body, theirs!.body)).toEqual([]);
        expect(theirs!.headers).toMatchObject({
          etag: ours!.headers.etag,
          'ingesta-runs': ours!.headers['ingesta-runs'],
        });
      },
    );

    it('took every route from that server, and warned of nothing', () => {
      const isAthena = name === "Athena's API";
      expect(server.engines.engine.name).toBe(isAthena ? 'athena' : 'trino');
      expect(athena.calls.includes('GetQueryResults')).toBe(isAthena);
      expect(server.lines).toEqual([]);
    });
  });
});

import { once } from 'node:events';
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Lake, pointerKey } from '@ingesta/kit';
import { commitSnapshot } from '../../gateway/src/testing/commit-snapshot';
import { givenLake } from '../../gateway/src/testing/given';
import { PackFolder } from '../../gateway/src/testing/given-packs';
import { type AnalyticsApp, analyticsApp } from './sample-app';

const SCHEMA = 'CREATE TABLE mysql_a (n bigint);\nCREATE TABLE mysql_b (n bigint);\n';
/** Two tables in one answer, by several statements each on its own and by one over both. */
const ROUTE = `-- route: /both
-- summary: What stands in both tables
-- param: asked integer 0..1000000 = 0 Makes each question another one.
-- tables: mysql.a, mysql.b

-- name: a :one
SELECT min(n) AS least, max(n) AS most, count(*) + 0 * :asked AS total FROM mysql_a

-- name: b :one
SELECT min(n) AS least, max(n) AS most, count(*) AS total FROM mysql_b

-- name: joined :value
SELECT count(*) AS total FROM mysql_a a JOIN mysql_b b ON a.n = b.n
`;
const ROWS = 200;
const runId = (n: number) => `01890a5d-ac96-774b-bcce-${String(n).padStart(12, '0')}`;

let made: Awaited<ReturnType<typeof givenLake>>;
let packs: PackFolder;
let app: AnalyticsApp;
let server: http.Server;
/** What happens between the reading of the pointer and everything else. */
let afterPointer: () => Promise<void>;
beforeEach(async () => {
  made = await givenLake();
  packs = new PackFolder();
  packs.write('both/schema.sql', SCHEMA);
  packs.write('both/both.sql', ROUTE);
  afterPointer = async () => undefined;
  const lake = new Proxy(made.lake, {
    get: (target, name: keyof Lake) => (name === 'get' ? reading : target[name]),
  });
  const reading = async (key: string) => {
    const stored = await made.lake.get(key);
    if (key === pointerKey('mysql')) await afterPointer();
    return stored;
  };
  app = await analyticsApp({ lake, env: made.env }, { PACKS: 'none', PACKS_DIR: packs.path });
  server = app.app.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await app.close();
  packs.remove();
  await made.remove();
});

/** Snapshot n: each row of both tables says n. */
const publish = (n: number) => {
  const table = {
    csv: `n\n${`${n}\n`.repeat(ROWS)}`,
    columns: [{ name: 'n', logical_type: 'integer', source_type: 'int' }],
  };
  const tables = { a: table, b: table } as const;
  return commitSnapshot(made.lake, 'mysql', tables as never, { runId: runId(n), takenAt: '2025-01-02T00:00:00.000Z' });
};

async function ask(asked: number) {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/both?asked=${asked}`);
  return { status: response.status, runs: response.headers.get('Ingesta-Runs'), body: await response.json() };
}
const answerOf = (n: number) => {
  const both = { least: n, most: n, total: ROWS };
  return {
    status: 200,
    runs: `mysql=${runId(n)}`,
    body: { as_of: '2025-01-02', a: both, b: both, joined: ROWS * ROWS },
  };
};

it('answers from the old snapshot when the new one appears right after the question began', async () => {
  await publish(1);
  afterPointer = async () => {
    afterPointer = async () => undefined;
    await publish(2);
  };
  expect(await ask(0)).toEqual(answerOf(1));
  expect(await ask(0)).toEqual(answerOf(2));
});

it('never mixes snapshots, however many are published while many ask', async () => {
  await publish(1);
  let last = 1;
  let asked = 0;
  const caller = async () => {
    while (last < 8) {
      const before = last;
      asked += 1;
      const answer = await ask(asked);
      const n = Number(answer.runs!.slice(-12));
      expect(answer).toEqual(answerOf(n));
      expect(n).toBeGreaterThanOrEqual(before);
    }
  };
  const callers = Promise.all(Array.from({ length: 6 }, caller));
  for (let n = 2; n <= 8; n += 1) {
    const seen = asked;
    await publish(n);
    last = n;
    while (asked < seen + 6 && n < 8) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await callers;
  expect(await ask(0)).toEqual(answerOf(8));
}, 120_000);

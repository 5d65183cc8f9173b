import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../services/server-process';
import type { Answer, Caller } from './caller';
import { callerOf } from './caller';
import { startNginx } from './nginx';
import { recordsOf, scriptsOf } from './oracle';
import { type Random, randomOf } from './random';
import { executeAndRefuse, loseAnswer, loseCall, refuse } from './s3-faults';
import type { Fault, Match } from './s3-proxy';
import type { FaultGateway, World } from './world';

export interface MixOptions {
  readonly seed: number;
  readonly clients: number;
  readonly databases: readonly string[];
  /** It ends when so much time has passed, or so many runs have been published. */
  readonly minutes: number;
  readonly runs: number;
}

/** What happened, for people. */
export interface MixFigures {
  seed: number;
  minutes: number;
  published: number;
  failed: number;
  cancelled: number;
  answers: Record<string, number>;
  faults: Record<string, number>;
}

/** Answers that a client may get while all of this goes on; anything else is a defect. */
const ALLOWED = new Set([200, 202, 409, 429, 502, 503, 504]);

/**
 * Clients that POST, cancel and hang up by way of nginx, while gateways and scripts are killed and every line fails, all
 * drawn from the seed. Resolves when everything has been repaired; then the oracle has its say.
 */
export async function mix(world: World, options: MixOptions): Promise<MixFigures> {
  const { seed, clients, databases, minutes, runs } = options;
  const ports = [await freePort(), await freePort()];
  const slots = await Promise.all(ports.map((port) => world.addGateway({ settings: { PORT: String(port) } })));
  const nginx = await startNginx(
    world.folder,
    slots.map(({ url }) => url),
    60,
  );
  world.atEnd(() => nginx.stop());
  const began = Date.now();
  const answers: Record<string, number> = {};
  const faults: Record<string, number> = {};
  const promised = new Set<string>();
  let over = false;
  const note = (told: Answer | null) => {
    const what = told === null ? 'no answer' : String(told.status);
    answers[what] = (answers[what] ?? 0) + 1;
    if (told === null) return;
    if (!ALLOWED.has(told.status)) throw new Error(`${told.status}: ${JSON.stringify(told.body)}`);
    if (told.status === 200) promised.add(told.body.run_id);
  };

  const client = async (random: Random, caller: Caller) => {
    while (!over) {
      await sleep(random.int(2000));
      note(await ask(random, caller, random.pick(databases)));
    }
  };
  const chaos = async (random: Random) => {
    while (!over) {
      await sleep(300 + random.int(1500));
      const slot = random.int(slots.length);
      const [name, strike] = random.pick(STRIKES);
      faults[name] = (faults[name] ?? 0) + 1;
      const start = () => world.addGateway({ settings: { PORT: String(ports[slot]) } });
      const replace = async () => {
        slots[slot] = await start().catch(async (error: Error) => {
          // A call that somebody else makes may have that port for a moment.
          if (!error.message.includes('is taken')) throw error;
          await sleep(1000);
          return start();
        });
      };
      await strike({ random, world, gateway: slots[slot]!, replace });
    }
  };
  const clock = async () => {
    while (!over) {
      await sleep(1000);
      await world.shop.advance();
      if (Date.now() - began >= minutes * 60_000) over = true;
      else if ((await published(world)) >= runs) over = true;
    }
  };
  const caller = callerOf(nginx.url);
  const all = Array.from({ length: clients }, (_, i) => client(randomOf(seed * 1000 + i), caller));
  try {
    await Promise.all([...all, chaos(randomOf(seed)), clock()]);
  } finally {
    over = true;
    world.database.thaw();
    for (const { s3 } of world.gateways) {
      s3.calm();
      s3.mend();
    }
  }
  const records = await settled(world, slots);
  const count = (state: string) => records.filter((record) => record.state === state).length;
  // What a caller was told is so; the oracle compares the records with the lake.
  const succeeded = new Set(records.filter(({ state }) => state === 'succeeded').map(({ run_id }) => run_id));
  expect([...promised].filter((runId) => !succeeded.has(runId))).toEqual([]);
  return {
    seed,
    minutes: Math.round((Date.now() - began) / 6000) / 10,
    published: succeeded.size,
    failed: count('failed'),
    cancelled: count('cancelled'),
    answers,
    faults,
  };
}

async function ask(random: Random, caller: Caller, database: string): Promise<Answer | null> {
  const headers: Record<string, string> = {};
  if (random.chance(0.2)) headers['idempotency-key'] = `key-${random.int(50)}-${database}`;
  if (random.chance(0.2)) headers.prefer = 'respond-async';
  const signal = random.chance(0.1) ? AbortSignal.timeout(200 + random.int(1000)) : null;
  const cancels = random.chance(0.1);
  try {
    const answer = await caller.post(database, { headers, signal });
    if (answer.status === 202 && cancels) await caller.cancel(answer.body.run_id);
    return answer;
  } catch {
    return null; // Hung up, or its gateway was killed.
  }
}

interface Struck {
  random: Random;
  world: World;
  gateway: FaultGateway;
  /** Another gateway in the place of this one, which has ended. */
  replace(): Promise<void>;
}

const isWrite: Match = ({ method, key }) => method === 'PUT' && key.startsWith('_ingesta/');
const few = async ({ random, gateway }: Struck, fault: Fault) =>
  void gateway.s3.strike(isWrite, fault, 1 + random.int(3));

const STRIKES: readonly (readonly [string, (struck: Struck) => Promise<void>])[] = [
  ...(['SIGKILL', 'SIGKILL', 'SIGTERM'] as const).map(
    (signal) =>
      [
        `gateway ${signal}`,
        async ({ random, gateway, replace }: Struck) => {
          await gateway.stop(signal);
          await sleep(random.int(2000));
          await replace();
        },
      ] as const,
  ),
  [
    'gateway paused',
    async ({ random, gateway }) => {
      process.kill(gateway.pid, 'SIGSTOP');
      await sleep(random.int(5000));
      process.kill(gateway.pid, 'SIGCONT');
    },
  ],
  [
    'script SIGKILL',
    async ({ random, world }) => {
      const scripts = scriptsOf(world.folder);
      if (scripts.length === 0) return;
      try {
        process.kill(Number(random.pick(scripts)), 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    },
  ],
  [
    'S3 cut off',
    async ({ random, gateway }) => {
      gateway.s3.cut();
      await sleep(random.int(4000));
      gateway.s3.mend();
    },
  ],
  ['answers lost', (struck) => few(struck, loseAnswer)],
  ['calls lost', (struck) => few(struck, loseCall)],
  ['503', (struck) => few(struck, refuse(503, 'SlowDown'))],
  ['409', (struck) => few(struck, refuse(409, 'ConditionalRequestConflict'))],
  ['500 though executed', (struck) => few(struck, executeAndRefuse(500, 'InternalError'))],
  [
    'database reset',
    async ({ random, world: { database } }) => {
      database.resetAfter(random.int(2000));
      await sleep(random.int(1000));
      database.thaw();
    },
  ],
  [
    'database frozen',
    async ({ random, world: { database } }) => {
      database.freeze();
      await sleep(random.int(2000));
      database.thaw();
    },
  ],
];

const published = async ({ bucket }: World) =>
  (await recordsOf(bucket.lake)).filter(({ state }) => state === 'succeeded').length;

/** Every run's record, when all of them are over. */
async function settled(world: World, gateways: readonly FaultGateway[]) {
  for (;;) {
    const records = await recordsOf(world.bucket.lake);
    if (records.every(({ state }) => state !== 'running')) return records;
    // One that hangs would be waited for until the test's own end.
    for (const { pid } of gateways) process.kill(pid, 0);
    await sleep(500);
  }
}

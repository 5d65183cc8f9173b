/**
 * Ingests every source once: `node deploy/ingest-all.mjs [source ...]`, all that have their settings unless told which.
 * INGESTA_URL is the gateway or its balancer (default http://127.0.0.1:8000), INGESTA_API_KEY a key where it asks for one.
 * Starts all runs, follows each by asking, prints a line per source; exit code 1 if one failed, 2 if there was none.
 * Needs Node and nothing else. Nothing is started twice: each POST has a key of its own, and is repeated with it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const url = (process.env.INGESTA_URL || 'http://127.0.0.1:8000').replace(/\/$/, '');
const key = process.env.INGESTA_API_KEY;
const POLL_MS = Number(process.env.INGESTA_POLL_MS || 2_000);
/** A gateway that is away for so long is given up. */
const PATIENCE_MS = Number(process.env.INGESTA_PATIENCE_MS || 120_000);
/** A request that was held for so long was not refused: a run waits for its turn behind others before it has an answer. */
const HELD_MS = Number(process.env.INGESTA_HELD_MS || 30_000);
const authorization = key ? { Authorization: `Bearer ${key}` } : {};

/** Asks until there is an answer that a later try would not change. */
async function call(method, path, headers = {}) {
  let troubledSince;
  for (;;) {
    const askedAt = Date.now();
    let problem;
    try {
      const answer = await fetch(url + path, { method, headers: { ...authorization, ...headers } });
      const body = await answer.json();
      if (!isPassing(method, answer.status, body)) return { status: answer.status, body };
      problem = `${body.error.code}: ${body.error.message}`;
    } catch (error) {
      problem = String(error.cause?.message ?? error.message);
      // Cut by a proxy that wants an answer sooner, or by Node itself: no trouble while the gateway lives.
      if (Date.now() - askedAt >= HELD_MS && (await isAlive())) troubledSince = undefined;
    }
    troubledSince ??= Date.now();
    if (Date.now() - troubledSince > PATIENCE_MS) throw new Error(`${method} ${url}${path}: ${problem}`);
    await sleep(POLL_MS);
  }
}

/** Nothing was started, or, of a GET, nothing is known just now: whatever it asks about goes on. */
const isPassing = (method, status, { error }) =>
  status === 429 || ['LEASE_LOST', 'GATEWAY_UNAVAILABLE'].includes(error?.code) || (method === 'GET' && status >= 500);

const isAlive = () =>
  fetch(`${url}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );

async function sources() {
  const { status, body } = await call('GET', '/api/ingesta');
  if (status !== 200) throw new Error(`GET ${url}/api/ingesta: ${body.error?.code}: ${body.error?.message}`);
  const list = body.sources;
  for (const { name, present, missing_env } of list) {
    if (!present) say(name, 'skipped: it is not there (GET /api/ingesta says how to build it)');
    else if (missing_env.length > 0) say(name, `skipped: ${missing_env[0]}`);
  }
  return list.filter(({ present, missing_env }) => present && missing_env.length === 0).map(({ name }) => name);
}

/** Whether the source was ingested. */
const ingest = (name) => follow(name).catch(({ message }) => failed(name, { code: 'UNREACHABLE', message }));

async function follow(name) {
  const headers = { Prefer: 'respond-async', 'Idempotency-Key': randomUUID() };
  const started = await call('POST', `/api/ingesta/${name}`, headers);
  if (started.status !== 202 && started.status !== 200) return failed(name, started.body.error);
  const { run_id } = started.body;
  for (;;) {
    const { status, body } = await call('GET', `/api/ingesta/runs/${run_id}`);
    if (status !== 200) return failed(name, body.error);
    if (body.state === 'succeeded') return succeeded(name, run_id, body);
    if (body.state !== 'running') return failed(name, { ...body.error, run_id });
    await sleep(POLL_MS);
  }
}

function succeeded(name, runId, { duration_ms, progress = {} }) {
  const tables = Object.values(progress);
  const rows = tables.reduce((sum, { rows = 0 }) => sum + rows, 0);
  say(name, `${tables.length} tables, ${rows} rows in ${((duration_ms ?? 0) / 1000).toFixed(1)} s, run ${runId}`);
  return true;
}

function failed(name, { code, message, hint, run_id } = {}) {
  say(name, `failed: ${code ?? 'no reason given'}: ${message ?? ''} ${hint ?? ''}${run_id ? ` (run ${run_id})` : ''}`);
  return false;
}

const say = (name, text) => process.stdout.write(`${name}: ${text}\n`);

try {
  const names = process.argv.length > 2 ? process.argv.slice(2) : await sources();
  const results = await Promise.all(names.map(ingest));
  if (names.length === 0) process.stderr.write('No source has its settings: see GET /api/ingesta\n');
  process.exitCode = names.length === 0 ? 2 : results.every(Boolean) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

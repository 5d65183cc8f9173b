import { randomUUID } from 'node:crypto';
import type { Dataset, Lake } from '@ingesta/kit';
import type { Config } from '../config';
import type { Log } from '../log';
import type { Metrics } from '../metrics/metrics';
import type { JobSpec, LaunchableSource, Runner } from '../runners/runner';
import { type Acquired, acquireLease } from '../runs/acquire-lease';
import { systemClock } from '../runs/clock';
import type { HeldLease } from '../runs/held-lease';
import { leaseTimes } from '../runs/lease';
import { LeaseStore } from '../runs/lease-store';
import { fencedEpoch } from '../runs/publication';
import type { RunJournal } from '../runs/run-journal';
import type { Verifier } from '../runs/verifier/verifier';
import { untilAborted } from '../until-aborted';
import { type CredentialEnv, compileJob, type IngestRequest, type LakeFolder } from './job';
import { type AttemptIdentity, launchAttempts } from './launch-attempts';
import { runRecorded } from './recorded-run';
import type { PublishedRun } from './run-answer';

/** What a run needs from outside. */
export interface RunServices {
  config: Config;
  /** This gateway's name in records, for people. */
  gateway: string;
  lake: () => Promise<Lake>;
  runner: Runner;
  /** Credentials for the script, resolved for each run: they may have rotated. */
  credentials: (source: LaunchableSource, runId: string) => Promise<CredentialEnv>;
  /** The source's variables as a secret store knows them, asked for each launch: they may have rotated. */
  secrets: (source: LaunchableSource) => Promise<Readonly<Record<string, string>>>;
  lakeFolder: () => Promise<LakeFolder | null>;
  /** The named queries of a database, read for each run: files may have changed. */
  datasets: (database: string) => Promise<Dataset[]>;
  /** Reads each run's objects back before it is published; absent where the lake's word is enough. */
  verifier?: Verifier;
  /** Told of a database where the run of a gateway that is gone turned out to be published. */
  recovered?: (database: string) => void;
  metrics?: Pick<Metrics, 'run' | 'lease'>;
}

/** A run, as far as it is decided before its first attempt. */
export interface PlannedRun {
  database: string;
  request: IngestRequest;
  runId: string;
  requestedBy: string | null;
  log: Log;
  /** Aborted when the run must end, with the `ApiError` to end with as its reason. */
  halt: AbortController;
  source: LaunchableSource;
  deadline: Date;
}

/** For a look at what would be compiled, before anything is allotted. */
const NO_ATTEMPT = { attempt: 1, nonce: 'none', timestamp: '19700101_000000' };

/** One run from its compilation to its publication; `onRecorded` hears when it can be asked for. Throws `ApiError`. */
export async function leadRun(services: RunServices, run: PlannedRun, onRecorded: () => void): Promise<PublishedRun> {
  // What cannot be launched must not take the lease, nor leave a record.
  const sketch = await compile(services, run, { ...NO_ATTEMPT, runId: run.runId, deadline: run.deadline }, 0);
  const lake = await services.lake();
  const claimed = acquire(services, lake, run);
  const acquired = await (services.metrics?.lease(run.database, claimed) ?? claimed);
  const { config, gateway, verifier = null, recovered = () => undefined } = services;
  const { SENSITIVE_COLUMNS: add, SENSITIVE_COLUMNS_ALLOW: allow } = config.env;
  const { runner, reference: image } = run.source;
  const { epoch } = acquired.lease.record;
  run.log.info('run started', { runner, image, tables: run.request.tables, epoch, requested_by: run.requestedBy });
  const published = await runRecorded({
    ...{ ...run, lake, acquired, sketch, onRecorded, gateway, verifier, recovered },
    settings: { add, allow },
    latestTemplate: config.latestTemplate,
    launch: (journal) => launch(services, run, { lake, lease: acquired.lease, journal }),
  });
  run.log.info('run finished', { tables: Object.keys(published.answer.result).length });
  return published;
}

/** Launches the script; `records` are where a run leaves its traces, null for a dry run. */
export function launch(
  services: RunServices,
  run: PlannedRun,
  records: { lake: Lake; lease: HeldLease; journal: RunJournal } | null,
) {
  const { runId, deadline, halt, log } = run;
  return launchAttempts({
    runner: services.runner,
    compile: (attempt) => compile(services, run, attempt, records?.lease.record.epoch ?? 0),
    runId,
    deadline,
    timestamp: async (attempt) => {
      if (records === null) return Math.floor(Date.now() / 1000);
      return attempt === 1 ? records.lease.record.last_timestamp : records.lease.allot();
    },
    onAttempt: async ({ job }) => {
      if (job.attempt > 1) await records?.journal.attempt(job.attempt, job.timestamp);
    },
    onEvent: (event) => records?.journal.event(event),
    lake: records?.lake ?? null,
    signal: halt.signal,
    most: services.config.runAttempts,
    log,
  });
}

function acquire(
  services: RunServices,
  lake: Lake,
  { database, runId, deadline, halt }: PlannedRun,
): Promise<Acquired> {
  const times = leaseTimes(services.config.leaseTtlSeconds * 1000);
  return acquireLease({
    store: new LeaseStore(lake, database, systemClock, times),
    claimant: { holder: services.gateway, runId, nonce: randomUUID(), deadline },
    times,
    clock: systemClock,
    epochFloor: () => fencedEpoch(lake, database),
    signal: halt.signal,
  });
}

/** Whoever is asked for secrets may be silent for long: the run ends in time all the same. */
const compile = (services: RunServices, run: PlannedRun, attempt: AttemptIdentity, epoch: number): Promise<JobSpec> =>
  untilAborted(compileNow(services, run, attempt, epoch), run.halt.signal);

async function compileNow(
  services: RunServices,
  { source, request }: PlannedRun,
  attempt: AttemptIdentity,
  epoch: number,
): Promise<JobSpec> {
  // A plan needs no lake, unless the source reads from it: then the script says what is missing.
  const found = services.credentials(source, attempt.runId);
  const credentials = await (request.dryRun ? found.catch(() => ({})) : found);
  const [folder, datasets, secrets] = await Promise.all([
    services.lakeFolder(),
    services.datasets(source.name),
    services.secrets(source),
  ]);
  const identity = { ...attempt, gateway: services.gateway, epoch };
  return compileJob(services.config, source, request, identity, { credentials, secrets, folder, datasets });
}

import { type Lake, parseRunMarker, RUN_MARKERS, type RunRecord, type RunState } from '@ingesta/kit';
import { ApiError } from '../errors';
import { readRun } from './run-store';

export interface RunQuery {
  database: string | null;
  state: RunState | null;
  limit: number;
  cursor: string | null;
  /** Databases whose runs may be shown; all of them if absent. */
  shown?: (database: string) => boolean;
}

export interface RunPage {
  runs: RunRecord[];
  /** Where the next page begins; null at the end. A page may be short and have one: it looked far enough. */
  cursor: string | null;
}

/** One page looks at no more markers and reads no more records than this. */
const MAX_MARKERS = 5_000;
const MAX_RECORDS = 200;
const PARALLEL = 16;

/** Runs, newest first: the markers' order is the answer's, so that a page costs a page, however many runs there are. */
export async function listRuns(
  lake: Lake,
  { database, state, limit, cursor, shown = () => true }: RunQuery,
): Promise<RunPage> {
  const runs: RunRecord[] = [];
  let batch: { key: string; runId: string; database: string }[] = [];
  let [looked, read] = [0, 0];
  /** Reads the batch; the key at which the page is full, if it is. */
  const flush = async (): Promise<string | null> => {
    const found = await Promise.all(batch.map((marker) => readRun(lake, marker.database, marker.runId)));
    read += batch.length;
    for (const [i, run] of found.entries()) {
      // A marker without a record: its gateway died in between, and no run began.
      if (run && (state === null || run.record.state === state)) runs.push(run.record);
      if (runs.length === limit) return batch[i]!.key;
    }
    batch = [];
    return null;
  };
  for await (const { key } of lake.list(RUN_MARKERS, cursor === null ? undefined : decode(cursor))) {
    looked += 1;
    const marker = parseRunMarker(key);
    if (marker && (database === null || marker.database === database) && shown(marker.database))
      batch.push({ key, ...marker });
    const enough = looked >= MAX_MARKERS || read + batch.length >= MAX_RECORDS;
    if (!enough && batch.length < Math.min(PARALLEL, limit - runs.length)) continue;
    const full = await flush();
    if (full !== null || enough) return { runs, cursor: encode(full ?? key) };
  }
  const full = await flush();
  return { runs, cursor: full === null ? null : encode(full) };
}

const encode = (key: string) => Buffer.from(key.slice(RUN_MARKERS.length)).toString('base64url');

function decode(cursor: string): string {
  const key = RUN_MARKERS + Buffer.from(cursor, 'base64url').toString('utf8');
  if (parseRunMarker(key)) return key;
  throw new ApiError('INVALID_REQUEST', 'cursor: this is none that a page of this list ended with');
}

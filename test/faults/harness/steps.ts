import { inOrder, writeOf } from './s3-faults';
import type { Match } from './s3-proxy';

/** The writes and readings that a run consists of, in their order. */
export type Step =
  | 'acquire'
  | 'fence'
  | 'marker'
  | 'record'
  | 'export'
  | 'result'
  | 'verify'
  | 'manifest'
  | 'publish'
  | 'close'
  | 'release';

/** Matches one step of the next run of `database` that goes through a line. */
export function step(name: Step, database = 'postgresql'): Match {
  const lock = writeOf(`_ingesta/locks/${database}.json`);
  const pointer = writeOf(`_ingesta/current/${database}.json`);
  const manifest = writeOf(new RegExp(`_ingesta/runs/${database}/[^/]+/manifest\\.json$`));
  const record = writeOf(new RegExp(`_ingesta/runs/${database}/[^/]+/run\\.json$`));
  const object = new RegExp(`^${database}/payments_\\d{8}_\\d{6}\\.csv$`);
  const steps: Record<Step, Match> = {
    acquire: lock,
    fence: pointer,
    marker: writeOf(new RegExp(`_ingesta/index/.*_${database}\\.json$`)),
    record,
    export: writeOf(object),
    result: writeOf(new RegExp(`_ingesta/runs/${database}/[^/]+/result-1\\.json$`)),
    verify: ({ method, key }) => method === 'HEAD' && object.test(key),
    manifest,
    publish: inOrder(manifest, pointer),
    close: inOrder(manifest, pointer, record),
    release: inOrder(manifest, pointer, record, lock),
  };
  return steps[name];
}

export const STEPS: readonly Step[] = [
  'acquire',
  'fence',
  'marker',
  'record',
  'export',
  'result',
  'verify',
  'manifest',
  'publish',
  'close',
  'release',
];

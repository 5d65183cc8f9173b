import { median } from '../statistics';
import type { EngineName } from './engines';
import type { Figure } from './rounds';

/** A promise of this project, and what a run says of it. */
export interface Verdict {
  readonly what: string;
  readonly bound: string;
  /** Undefined where somebody who is needed for it has no figures. */
  readonly measured: number | undefined;
  readonly met: boolean | undefined;
}

/** A promise: the figure it is about, from what each contender took, and where its limit is. */
interface Bound {
  readonly what: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  figure(of: Lookup): number | undefined;
}

/** Median seconds and peak memory (MiB) by contender; undefined where there are none. */
interface Lookup {
  seconds(id: string): number | undefined;
  memory(id: string): number | undefined;
}

const MiB = 2 ** 20;

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a / b;

const toOwn = (what: string, atMost: number, id = 'script'): Bound => ({
  what,
  atMost,
  figure: (of) => ratio(of.seconds(id), of.seconds('own')),
});

/** How many times as long as our script the fastest of the others takes. */
const ahead = (what: string, atLeast: number, ids: readonly string[]): Bound => ({
  what,
  atLeast,
  figure: (of) => {
    const times = ids.map(of.seconds).filter((time) => time !== undefined);
    return times.length === 0 ? undefined : ratio(Math.min(...times), of.seconds('script'));
  },
});

const toS3: Bound = {
  what: 'to S3 ÷ to a folder',
  atMost: 1.25,
  figure: (of) => ratio(of.seconds('script-s3'), of.seconds('script')),
};

const memory: Bound = {
  what: 'peak memory of the process, MB',
  atMost: 110,
  figure: (of) => {
    const peaks = ['script', 'script-ranges', 'script-s3'].map(of.memory).filter((peak) => peak !== undefined);
    return peaks.length === 0 ? undefined : (Math.max(...peaks) * MiB) / 1e6;
  },
};

const connectorx: readonly Bound[] = [
  ahead('connectorx + polars ÷ this project, time', 1, ['connectorx']),
  {
    what: 'this project ÷ connectorx + polars, memory',
    atMost: 0.25,
    figure: (of) => ratio(of.memory('script'), of.memory('connectorx')),
  },
];

const PEERS = ['sling', 'dlt', 'ingestr'];

const BOUNDS: Record<EngineName, readonly Bound[]> = {
  postgresql: [
    toOwn('one connection ÷ `psql \\copy`', 0.85),
    toOwn('two parallel ranges ÷ `psql \\copy`', 0.7, 'script-ranges'),
    toS3,
    memory,
    ahead('fastest of sling, dlt and ingestr ÷ one connection', 3, PEERS),
    ...connectorx,
  ],
  mysql: [
    toOwn('this project ÷ `mariadb --batch --quick`', 1.1),
    toS3,
    memory,
    ahead('fastest of sling, dlt and ingestr ÷ this project', 2.5, PEERS),
    ...connectorx,
  ],
  mongodb: [
    toOwn('this project ÷ bare driver loop', 1.2),
    toS3,
    memory,
    ahead('`mongoexport` ÷ this project', 1, ['mongoexport']),
  ],
  cassandra: [
    toOwn('this project ÷ bare driver loop', 1.2),
    toS3,
    memory,
    ahead('`cqlsh COPY` ÷ this project', 1, ['cqlsh']),
    ahead('`dsbulk` ÷ this project', 1, ['dsbulk']),
  ],
};

/** What the figures say of this project's promises for the engine. */
export function judge(engine: EngineName, figures: readonly Figure[]): Verdict[] {
  const find = (id: string) => figures.find((figure) => figure.id === id && figure.problem === undefined);
  const of: Lookup = {
    seconds: (id) => {
      const { runs = [] } = find(id) ?? {};
      return runs.length === 0 ? undefined : median(runs) / 1000;
    },
    memory: (id) => {
      const peak = find(id)?.peakRss ?? undefined;
      return peak === undefined ? undefined : peak / MiB;
    },
  };
  return BOUNDS[engine].map(({ what, atMost, atLeast, figure }) => {
    const measured = figure(of);
    const met = measured === undefined ? undefined : measured <= (atMost ?? Infinity) && measured >= (atLeast ?? 0);
    return { what, bound: atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`, measured, met };
  });
}

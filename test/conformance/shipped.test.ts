import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../e2e/harness/gateway';
import { createBucket } from '../e2e/harness/s3';
import { describeWith } from '../services/need';
import { conformance } from './conformance';
import { openSubject } from './open-subject';
import { SHIPPED } from './testing/given-sources';

const DATASETS_DIR = join(__dirname, 'fixtures/datasets');
/** Each source launches some twenty times; on a busy machine that takes its time. */
const LIMIT_MS = 300_000;

it('leaves no source of the repository out', () => {
  const folders = readdirSync(join(ROOT, 'scripts')).filter((name) => name !== 'kit');
  expect(SHIPPED.map(({ source }) => source).sort()).toEqual(folders.sort());
});

describe.each(SHIPPED)('$source', ({ source, services, give, unchecked }) => {
  describeWith(['s3', ...services], 'as a command, to a bucket', () => {
    it(
      'keeps the contract',
      async () => {
        const [given, bucket] = [await give(), await createBucket()];
        try {
          const target = ['node', join(ROOT, 'scripts', source, 'dist/main.js')];
          const subject = await openSubject({ target, name: undefined, network: null, timeoutMs: 60_000 });
          const lines = await conformance(subject, {
            ...given.settings(false),
            ...bucket.settings(false),
            DATASETS_DIR,
          });
          const notOk = lines.filter(({ state }) => state !== 'ok');
          expect({ notOk: notOk.map(({ check }) => check), lines: notOk }).toMatchObject({ notOk: unchecked });
          // Nothing of it stays in somebody's bucket.
          expect(await bucket.keys()).toEqual([]);
        } finally {
          await given.drop();
        }
      },
      LIMIT_MS,
    );
  });
});

describe('the example of the documentation', () => {
  it('keeps the contract in a folder lake, in a shell', async () => {
    const target = [join(ROOT, 'test/e2e/fixtures/notas')];
    const subject = await openSubject({ target, name: undefined, network: null, timeoutMs: 60_000 });
    const lines = await conformance(subject, { NOTAS_AUTHOR: 'Ana' });
    expect(lines.filter(({ state }) => state === 'failed')).toEqual([]);
    // One table, no settings, no server: what is left is checked.
    expect(lines.filter(({ state }) => state === 'ok').length).toBeGreaterThanOrEqual(18);
  });
});

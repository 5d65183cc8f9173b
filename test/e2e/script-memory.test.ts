import { scriptResultSchema } from '@ingesta/kit';
import { runBundle } from '../../scripts/kit/src/testing/run-bundle';
import { ENGINES } from '../bench/extraction/engines';
import { describeWith } from '../services/need';
import { createBucket } from './harness/s3';

/** 80 MB of CSV: what memory comes to then it keeps, up to ten million rows (docs/benchmarks.md). */
const ROWS = 300_000;
/** Of all that the process takes, Node included. */
const MOST_BYTES = 110e6;

describeWith(['postgresql', 's3'], 'the script of PostgreSQL as a process, into a bucket', () => {
  it('takes no more than 110 MB for a table of 300,000 rows', async () => {
    const bucket = await createBucket();
    const table = await ENGINES.postgresql.load(ROWS);
    try {
      const settings = { ...table.settings(false), ...bucket.settings(false), LAKE_URL: '' };
      await runBundle('postgresql', settings, ({ exitCode, output, peakRss }) => {
        expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: { status: 'success' } });
        const [exported] = Object.values(scriptResultSchema.parse(output).result);
        expect(exported!.registros).toBe(ROWS);
        expect(exported!.bytes).toBeGreaterThan(70e6);
        // Systems other than Linux tell no peak.
        if (process.platform === 'linux') expect(peakRss).toBeGreaterThan(40e6);
        expect(peakRss).toBeLessThan(MOST_BYTES);
      });
    } finally {
      await table.drop();
    }
  }, 180_000);
});

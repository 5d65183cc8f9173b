import { randomBytes } from 'node:crypto';
import { type Lake, openLake } from '@ingesta/kit';
import { createBucket } from '../../../../../test/e2e/harness/s3';
import { describeWith } from '../../../../../test/services/need';
import { recordingProxy } from '../../../../../test/services/recording-proxy';
import { givenEngine } from '../testing/given-engine';
import { exportGiven, given } from '../testing/given-table';

/** Its twin goes in several parts. */
const LARGE = {
  table: 'large',
  columns: [given('text', 'text')],
  rows: Array.from({ length: 200_000 }, () => [randomBytes(66).toString('base64')]),
};

describeWith(['s3'], 'the upload of a twin', () => {
  let lake: Lake;
  let env: Record<string, string>;
  beforeAll(async () => {
    env = (await createBucket()).settings(false);
    lake = await openLake(env);
  });
  afterAll(() => lake?.close());

  it.each(['waited for', 'left behind by its caller', 'of a process that leaves'])(
    'leaves nothing in the lake when the engine is closed: %s',
    async (how) => {
      let onPart: () => void = () => undefined;
      const begun = new Promise<void>((resolve) => {
        onPart = resolve;
      });
      const proxy = await recordingProxy(env.AWS_ENDPOINT_URL_S3!, ({ url }) => {
        if (!url.includes('partNumber=')) return undefined;
        onPart();
        // No part ever arrives.
        return new Promise<void>(() => undefined);
      });
      const own = await givenEngine({ ...env, AWS_ENDPOINT_URL_S3: proxy.url }, {}, { idleMs: 1 });
      const entry = await exportGiven(lake, LARGE);
      const caller = new AbortController();
      const twin = own.engine.makeTwin('mysql', 'large', entry, caller.signal).catch((error) => error);
      await begun;
      const uploads = async () => {
        const open: string[] = [];
        for await (const { key } of lake.openUploads('_ingesta/parquet/')) open.push(key);
        return open;
      };
      expect(await uploads()).toHaveLength(1);
      if (how !== 'waited for') {
        caller.abort(new Error('gone'));
        await twin;
        if (how === 'of a process that leaves') while (own.child.pid !== null) await new Promise(setImmediate);
      }
      await own.close();
      await twin;
      expect(await uploads()).toEqual([]);
      expect(own.warnings).toEqual([]);
      await proxy.close();
    },
    60_000,
  );
});

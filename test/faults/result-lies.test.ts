import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWith } from '../services/need';
import type { Fault } from './harness/s3-proxy';
import { step } from './harness/steps';
import { inWorld, type World } from './harness/world';

const SCRIPTS = join(__dirname, '../../scripts');

/** A source that runs PostgreSQL's script and tells another result than that. */
async function liars(folder: string): Promise<string> {
  const scripts = join(folder, 'scripts');
  const liar = join(scripts, 'liar');
  await mkdir(liar, { recursive: true });
  await symlink(join(SCRIPTS, 'postgresql'), join(scripts, 'postgresql'));
  await cp(join(__dirname, 'fixtures/liar.cjs'), join(liar, 'liar.cjs'));
  const description = JSON.parse(await readFile(join(SCRIPTS, 'postgresql/source.json'), 'utf8'));
  const mode = { name: 'POSTGRES_LIE', description: 'What to lie about', required: true };
  await writeFile(
    join(liar, 'source.json'),
    JSON.stringify({ ...description, env: [...description.env, mode], command: ['node', './liar.cjs'] }),
  );
  return scripts;
}

/** The script's copy of its result is kept from the lake, so that stdout alone counts. */
const swallow: Fault = async (exchange) => {
  await exchange.body();
  exchange.reply({ status: 200, headers: { etag: '"none"' }, body: Buffer.alloc(0) });
};

/** Gives a stored object other content or other metadata before the gateway looks. */
const meddle =
  (
    { bucket }: World,
    change: (body: Buffer) => Buffer,
    metadata: (old: Record<string, string>) => Record<string, string>,
  ): Fault =>
  async (exchange) => {
    for await (const { key } of bucket.lake.list('liar/orders_')) {
      const old = (await bucket.lake.head(key))!.metadata!;
      await bucket.overwrite(key, change((await bucket.lake.get(key))!.body), metadata({ ...old }));
    }
    await swallow(exchange);
  };

async function tell(world: World, lie: string, settings: Record<string, string> = {}, fault: Fault = swallow) {
  const SCRIPTS_DIR = await liars(world.folder);
  const gateway = await world.addGateway({ settings: { ...settings, SCRIPTS_DIR, POSTGRES_LIE: lie } });
  void gateway.s3.strike(step('result', 'liar'), fault);
  const { status, body } = await gateway.post('liar');
  return { status, code: body.error?.code, message: body.error?.message as string };
}

// Every lie seen to pass with `verifyResult` (verify.ts) returning at once and without `answers` (read-result.ts); those under
// VERIFY=full without the comparisons of SHA-256 and rows in `readBack` (read-back.ts).
describeWith(['postgresql', 's3'], 'fault 21: a result that lies', () => {
  it('is the script’s own where it does not', () =>
    inWorld({ gateways: 0 }, async (world) => {
      expect(await tell(world, 'nothing')).toMatchObject({ status: 200 });
    }));

  it.each([
    ['bytes', /has \d+ bytes, not \d+/],
    ['key', /does not exist/],
    ['foreign key', /foreign key/],
    ['record key', /foreign key/],
    ['same key', /share a key/],
    ['url', /URL and key/],
    ['nonce', /another job/],
    ['column', /must not leave/],
  ])('about its %s is rejected', (lie, message) =>
    inWorld({ gateways: 0 }, async (world) => {
      const told = await tell(world, lie);
      expect(told).toMatchObject({ status: 502, code: 'SCRIPT_FAILED' });
      expect(told.message).toMatch(message);
    }),
  );
});

describeWith(['postgresql', 's3'], 'fault 21: an object of another attempt', () => {
  it('is rejected, though its bytes are right', () =>
    inWorld({ gateways: 0 }, async (world) => {
      const other = meddle(
        world,
        (body) => body,
        (old) => ({ ...old, 'ingesta-attempt': 'another' }),
      );
      const told = await tell(world, 'nothing', {}, other);
      expect(told).toMatchObject({ status: 502, code: 'SCRIPT_FAILED' });
      expect(told.message).toMatch(/another attempt/);
    }));
});

describeWith(['postgresql', 's3'], 'fault 21: a result that lies, under VERIFY=full', () => {
  const VERIFY = { VERIFY: 'full' };
  it('is the script’s own where it does not', () =>
    inWorld({ gateways: 0 }, async (world) => {
      expect(await tell(world, 'nothing', VERIFY)).toMatchObject({ status: 200 });
    }));

  it.each(['rows', 'checksum'])('about its %s is rejected', (lie) =>
    inWorld({ gateways: 0 }, async (world) => {
      const told = await tell(world, lie, VERIFY);
      expect(told).toMatchObject({ status: 502, code: 'SCRIPT_FAILED' });
      expect(told.message).toMatch(lie === 'rows' ? /rows, not/ : /another SHA-256/);
    }),
  );
});

// Seen to fail without the comparison of SHA-256 in `readBack` (read-back.ts): the snapshot was published.
describeWith(['postgresql', 's3'], 'fault 13: stored bytes that are not those that were sent', () => {
  it('fail the verification, under VERIFY=full', () =>
    inWorld({ gateways: 0 }, async (world) => {
      // As long as before, and as many rows.
      const corrupt = meddle(
        world,
        (body) => Buffer.from(body.toString().replace('0\n', '7\n')),
        (old) => old,
      );
      const told = await tell(world, 'nothing', { VERIFY: 'full' }, corrupt);
      expect(told).toMatchObject({ status: 502, code: 'SCRIPT_FAILED' });
      expect(told.message).toMatch(/orders/);
    }));
});

import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(__dirname, '../..');
const OLD = 'arn:aws:ecs:eu-west-1:1:task-definition/ingesta-gateway:0';

/** Seen to fail with the scripts revised first, and without a look at what is in service in the end. */
describe('deploy/roll-out.sh', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingesta-roll-out-'));
    await copyFile(join(__dirname, 'fixtures/aws.mjs'), join(folder, 'aws'));
    await chmod(join(folder, 'aws'), 0o755);
    const definitions = ['gateway', 'mysql', 'ventas'].map((name, revision) => ({
      ...{ family: `ingesta-${name}`, revision, status: 'ACTIVE', cpu: '512' },
      containerDefinitions: [{ image: `1.dkr.ecr.eu-west-1.amazonaws.com/ingesta-${name}:1.0.0`, essential: true }],
    }));
    await writeFile(join(folder, 'state.json'), JSON.stringify({ definitions, serving: OLD, calls: [] }));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const rollOut = (more: Record<string, string> = {}) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      const path = [folder, join(process.execPath, '..'), process.env.PATH].join(delimiter);
      const env = { PATH: path, ECS_STATE: join(folder, 'state.json'), ...more };
      const args = [join(ROOT, 'deploy/roll-out.sh'), 'ingesta', '1.1.0', 'mysql', 'ventas'];
      execFile('bash', args, { env }, (error, _stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), said: stderr }),
      );
    });
  const state = async () => JSON.parse(await readFile(join(folder, 'state.json'), 'utf8'));
  const added = async () => (await state()).definitions.slice(3);

  it('puts the gateways into service, then the scripts: all as before but for the tag', async () => {
    expect(await rollOut()).toEqual({ code: 0, said: '' });
    expect((await state()).serving).toMatch(/ingesta-gateway:3$/);
    expect(await added()).toEqual(
      ['gateway', 'mysql', 'ventas'].map((name, i) => ({
        ...{ family: `ingesta-${name}`, revision: 3 + i, cpu: '512' },
        containerDefinitions: [{ image: `1.dkr.ecr.eu-west-1.amazonaws.com/ingesta-${name}:1.1.0`, essential: true }],
      })),
    );
    const { calls } = await state();
    expect(calls.indexOf('describe-task-definition ingesta-mysql')).toBeGreaterThan(calls.indexOf('describe-services'));
  });

  it('fails where ECS went back, says where to look, and leaves the scripts as they are', async () => {
    const { code, said } = await rollOut({ GOES_BACK: '1' });
    expect(code).toBe(1);
    expect(said).toContain(`the gateways of 1.1.0 did not become healthy, and ECS went back to ${OLD}`);
    expect(said).toContain('aws ecs describe-services');
    expect((await added()).map(({ family }: { family: string }) => family)).toEqual(['ingesta-gateway']);
  });
});

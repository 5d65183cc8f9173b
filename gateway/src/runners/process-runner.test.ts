import { copyFile, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settled } from '../../../test/settled';
import { ShippedSources } from '../sources/shipped-sources';
import { ProcessRunner } from './process-runner';
import type { JobSpec } from './runner';
import { ignored, never, runnerSuite, SUITE_SOURCE, specOf } from './runner-suite';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingesta-process-'));
  await givenScript('suite', SUITE_SOURCE);
});
afterAll(() => rm(folder, { recursive: true }));

async function givenScript(name: string, source: object): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'source.json'), JSON.stringify(source));
  await copyFile(join(__dirname, '../testing/suite-script.cjs'), join(folder, name, 'main.cjs'));
}

/** Processes that work in the scripts' folder, as whatever a script starts does. */
async function left(): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return folders.filter((path) => path.startsWith(folder));
}

/** A killed process is gone a moment after the kill. */
const leftAfterAMoment = () => settled(left, (found) => found.length === 0);

const env = { ...process.env, CANARY: 'canary-of-the-gateway' };
const given = () => ({ runner: new ProcessRunner(new ShippedSources(folder), env), left: leftAfterAMoment });

describe('ProcessRunner', () => {
  runnerSuite(given);

  it('passes nothing of the gateway’s environment on that a script does not need', async () => {
    const outcome = await given().runner.run(await specOf(given(), 'echo'), never, ignored);
    const { names } = JSON.parse(outcome.stdout.toString());
    expect(names).toContain('PATH');
    expect(names).not.toContain('CANARY');
  });

  it('passes on where the AWS SDK looks for credentials, to scripts that find their own', async () => {
    const aws = { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_CONFIG_FILE: '/c', AWS_SECRET_ACCESS_KEY: 'canary' };
    const runner = new ProcessRunner(new ShippedSources(folder), { ...env, ...aws });
    const namesOf = async (ownCredentials: JobSpec['ownCredentials']) => {
      const spec = await specOf({ ...given(), runner }, 'echo', {}, { ownCredentials });
      const { names } = JSON.parse((await runner.run(spec, never, ignored)).stdout.toString());
      return (names as string[]).filter((name) => name.startsWith('AWS_')).sort();
    };
    expect(await namesOf(null)).toEqual([]);
    expect(await namesOf({ folder: null })).toEqual(['AWS_CONFIG_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE']);
  });

  it('says how to build a script whose bundle is absent', async () => {
    await givenScript('unbuilt', { ...SUITE_SOURCE, command: ['node', 'dist/main.js'] });
    try {
      const { runner } = given();
      const failure = { code: 'IMAGE_NOT_FOUND', hint: expect.stringContaining('npm run build') };
      await expect(runner.resolve('unbuilt')).rejects.toMatchObject(failure);
      expect(await runner.list()).toContainEqual(expect.objectContaining({ name: 'unbuilt', present: false }));
    } finally {
      await rm(join(folder, 'unbuilt'), { recursive: true });
    }
  });

  it('says that a program cannot be started', async () => {
    const spec = await specOf(given(), 'echo');
    const description = { ...spec.source.description, command: ['/absent/program'] };
    const broken = { ...spec, source: { ...spec.source, description } };
    await expect(given().runner.run(broken, never, ignored)).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
  });

  it('says that there are no scripts', async () => {
    for (const none of [null, join(folder, 'absent')]) {
      const runner = new ProcessRunner(new ShippedSources(none), env);
      await expect(runner.check()).rejects.toMatchObject({ code: 'RUNNER_UNAVAILABLE' });
      expect(await runner.list()).toEqual([]);
    }
  });

  it('takes no path for a name', async () => {
    for (const name of ['../suite', 'suite/../suite', '.', '', 'SUITE', `suite\0`]) {
      await expect(given().runner.resolve(name)).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
    }
  });
});

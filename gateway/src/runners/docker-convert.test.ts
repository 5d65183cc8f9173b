import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toContainer } from './docker-convert';
import type { JobSpec } from './runner';

const TESTDATA = join(__dirname, '../testdata');
const read = (name: string) => JSON.parse(readFileSync(join(TESTDATA, name), 'utf8'));
const SPEC = '.job-spec.json';
const cases = readdirSync(TESTDATA)
  .filter((name) => name.endsWith(SPEC))
  .map((name) => name.slice(0, -SPEC.length));

describe.each(cases)('toContainer, %s', (name) => {
  const spec: JobSpec = read(name + SPEC);
  const options = toContainer(spec);

  it('gives the golden create options', () => expect(options).toEqual(read(`${name}.container.json`)));

  it('shows nothing of the job’s environment, secrets least of all', () => {
    const text = JSON.stringify(options);
    expect(text).not.toContain('canary');
    const files = spec.ownCredentials?.folder
      ? ['AWS_CONFIG_FILE=/aws/config', 'AWS_SHARED_CREDENTIALS_FILE=/aws/credentials']
      : [];
    expect(options.Env).toEqual(['INGESTA_JOB=stdin', ...files]);
  });

  it('is hardened', () => {
    expect(options.HostConfig).toMatchObject({
      AutoRemove: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Init: true,
      Memory: spec.memoryMiB * 1024 * 1024,
      MemorySwap: spec.memoryMiB * 1024 * 1024,
      PidsLimit: expect.any(Number),
    });
    for (const door of ['Privileged', 'Binds', 'Devices', 'CapAdd', 'PidMode', 'IpcMode', 'PortBindings'] as const) {
      expect(options.HostConfig?.[door]).toBeUndefined();
    }
  });

  it('runs what was resolved: the digest, not the tag', () => expect(options.Image).toBe(spec.source.digest));
});

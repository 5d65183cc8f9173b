import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';

interface Job {
  environment?: string;
  steps: { id?: string; run?: string }[];
}

const WORKFLOW = join(__dirname, '../../.github/workflows/release.yml');
const { push, deploy } = parse(readFileSync(WORKFLOW, 'utf8')).jobs as Record<string, Job>;

/** A registry whose tags are written once, as the file `pushed`. */
const DOCKER = `#!/bin/sh
for image; do :; done
case $1 in
  manifest) grep -qx "$image" pushed ;;
  push) ! grep -qx "$image" pushed && echo "$image" >>pushed ;;
esac
`;

describe('the release workflow', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ingesta-release-'));
    for (const [name, text] of Object.entries({ docker: DOCKER, 'build-images.sh': '#!/bin/sh\n' })) {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o755);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('pushes what a run before it did not come to', () => {
    writeFileSync(join(folder, 'pushed'), 'ecr.example/ingesta-gateway:1.2.3\n');
    const { run } = push!.steps.find(({ id }) => id === 'images')!;
    execFileSync('bash', ['-e', '-o', 'pipefail', '-c', run!], {
      cwd: folder,
      env: {
        ...{ PATH: [folder, process.env.PATH].join(delimiter), GITHUB_OUTPUT: join(folder, 'output') },
        ...{ GITHUB_REF_NAME: 'v1.2.3', REGISTRY: 'ecr.example', NAME: 'ingesta', IMAGES: 'mysql files' },
      },
    });
    const images = ['gateway', 'mysql', 'files'].map((name) => `ecr.example/ingesta-${name}:1.2.3\n`);
    expect(readFileSync(join(folder, 'pushed'), 'utf8')).toBe(images.join(''));
    expect(readFileSync(join(folder, 'output'), 'utf8')).toBe('tag=1.2.3\n');
  });

  it('asks AWS for its role in the environment alone that the role trusts', () => {
    expect([push!.environment, deploy!.environment]).toEqual(['production', 'production']);
    const iam = readFileSync(join(__dirname, '../../deploy/terraform/iam.tf'), 'utf8');
    expect(iam).toContain(`:environment:${push!.environment}"`);
  });
});

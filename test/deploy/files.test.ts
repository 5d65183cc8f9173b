import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describeWith, hclfmtProgram } from '../services/need';

const ROOT = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const workflows = readdirSync(join(ROOT, '.github/workflows'));

interface Job {
  needs?: string;
  steps?: { id?: string; uses?: string; run?: string; env?: Record<string, string>; with?: Record<string, unknown> }[];
}

it('the workflows are read by GitHub’s rules: jobs that need jobs that there are, steps that do something', () => {
  expect(workflows.sort()).toEqual(['release.yml', 'test.yml']);
  for (const file of workflows) {
    const jobs = parse(read(`.github/workflows/${file}`)).jobs as Record<string, Job>;
    for (const { needs, steps } of Object.values(jobs)) {
      if (needs !== undefined) expect(Object.keys(jobs)).toContain(needs);
      for (const { uses, run } of steps ?? []) expect([uses, run].filter(Boolean)).toHaveLength(1);
    }
  }
});

it('the test workflow has what .ci/run expects of its machine', () => {
  const { steps } = parse(read('.github/workflows/test.yml')).jobs.everything as Job;
  const run = steps!.find((step) => step.run === '.ci/run')!;
  const before = steps!.slice(0, steps!.indexOf(run));
  for (const version of [17, 25]) {
    const { id } = before.find(
      (step) => step.uses?.includes('/setup-java@') && step.with!['java-version'] === version,
    )!;
    expect(run.env).toMatchObject({ [`JAVA${version}_HOME`]: `\${{ steps.${id}.outputs.path }}` });
  }
  expect(before.some((step) => /install .*\bmaven\b/.test(step.run ?? ''))).toBe(true);
  expect(before.some((step) => step.uses?.includes('/setup-go@'))).toBe(true);
});

it('the workflows keep no key of AWS', () => {
  for (const file of workflows)
    expect(read(`.github/workflows/${file}`)).not.toMatch(/secrets\.|AWS_SECRET|aws-access-key/);
});

it('the scripts are Bash and JavaScript', () => {
  execFileSync('bash', ['-n', join(ROOT, 'deploy/roll-out.sh')]);
  execFileSync(process.execPath, ['--check', join(ROOT, 'deploy/ingest-all.mjs')]);
});

it('every variable of Terraform is used, and every one that is used is declared', () => {
  const files = readdirSync(join(ROOT, 'deploy/terraform')).filter((name) => name.endsWith('.tf'));
  const text = files.map((name) => read(`deploy/terraform/${name}`)).join('\n');
  const declared = [...text.matchAll(/^variable "(\w+)"/gm)].map(([, name]) => name!);
  const used = new Set([...text.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => name!));
  expect([...declared].sort()).toEqual([...used].sort());
});

it('every placeholder of the policies has a value, and every value a placeholder', () => {
  const folder = 'deploy/terraform/policies';
  const policies = readdirSync(join(ROOT, folder)).map((name) => read(`${folder}/${name}`));
  const placeholders = new Set(policies.flatMap((text) => [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)));
  const values = [...read('deploy/terraform/iam.tf').matchAll(/policy_values(?: =|,) \{\n([\s\S]*?)\n {2}\}/g)];
  const given = values.flatMap(([, text]) => [...text!.matchAll(/^ {4}(\w+) +=/gm)].map(([, name]) => name!));
  expect(given.sort()).toEqual([...placeholders].sort());
});

describeWith(['hclfmt'], 'Terraform’s files', () => {
  const folder = join(ROOT, 'deploy/terraform');
  const files = readdirSync(folder).filter((name) => name.endsWith('.tf'));

  it('are read by Terraform’s own parser, and are formatted as it would', () => {
    for (const name of files) {
      const path = join(folder, name);
      const formatted = execFileSync(hclfmtProgram(), [path], { encoding: 'utf8' });
      expect([name, formatted]).toEqual([name, readFileSync(path, 'utf8')]);
    }
  });
});

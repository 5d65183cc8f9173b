import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../gateway/src/config';

/** What DuckDB's process takes besides its working memory. */
const BESIDE_MIB = 450;
const ROOT = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const ecs = read('deploy/terraform/ecs.tf');

const numberOf = (setting: string, text = ecs) => Number(new RegExp(`\\b${setting} += (\\d+)$`, 'm').exec(text)![1]);

it('a service of one gateway can be deployed: there may be another beside it', () => {
  // What ECS allows is rounded down.
  const most = Math.floor(numberOf('deployment_maximum_percent') / 100);
  const least = Math.ceil(numberOf('deployment_minimum_healthy_percent') / 100);
  expect(most).toBeGreaterThan(least);
});

it('the service comes after the policies that its tasks need, and goes before them', () => {
  const iam = read('deploy/terraform/iam.tf');
  const [, shared] = /policy_values = \{\n([\s\S]*?)\n {2}\}/.exec(iam)!;
  expect(shared).not.toContain('aws_ecs_service');
  const [, service = ''] = /^resource "aws_ecs_service" "gateway" \{\n([\s\S]*?)^}/m.exec(ecs)!;
  const [, before = ''] = /depends_on = \[(.*)\]/.exec(service)!;
  expect(before.split(', ')).toEqual(
    expect.arrayContaining(['aws_iam_role_policy.gateway', 'aws_iam_role_policy.execution']),
  );
});

it('GitHub’s identity provider is made only where the account has none', () => {
  const iam = read('deploy/terraform/iam.tf');
  const [, provider = ''] = /^resource "aws_iam_openid_connect_provider" "github" \{\n([\s\S]*?)^}/m.exec(iam)!;
  expect(provider).toMatch(/count += .*var\.github_oidc_provider != "" \? 0 : 1$/m);
  expect(iam).toContain('[coalesce(var.github_oidc_provider, one(aws_iam_openid_connect_provider.github[*].arn))]');
});

it('a named connection runs the image of its kind, and has no repository of its own', () => {
  expect(read('deploy/terraform/storage.tf')).toContain('toset(concat(["gateway"], values(local.images)))');
  expect(ecs).toContain('aws_ecr_repository.image[local.images[each.key]].repository_url');
  expect(read('.github/workflows/release.yml')).toMatch(/build-images\.sh .* gateway \$IMAGES$/m);
});

describe('the gateway’s task', () => {
  it('mounts volumes of its image only: on Fargate any other is root’s alone, and the gateway is not root', () => {
    const mounted = [...ecs.matchAll(/containerPath = "(.*?)"/g)].map(([, path]) => path);
    const [, volumes = '[]'] = /^VOLUME (.*)$/m.exec(read('gateway/Dockerfile')) ?? [];
    expect(mounted).toEqual(JSON.parse(volumes));
    expect(mounted).toEqual([/ANALYTICS_CACHE_DIR=(\S+)/.exec(read('gateway/Dockerfile'))![1]]);
  });

  it('has memory for the query engine beside the gateway, of what Fargate gives with its CPU', () => {
    const [, heap] = /--max-old-space-size=(\d+)/.exec(read('gateway/Dockerfile'))!;
    const { duckdbMemoryMiB } = parseConfig({ LAKE_URL: 'file:///lake' });
    const [, task = ''] = /^resource "aws_ecs_task_definition" "gateway" \{\n([\s\S]*?)^}/m.exec(ecs)!;
    expect(numberOf('memory', task)).toBeGreaterThan(duckdbMemoryMiB + BESIDE_MIB + Number(heap));
    expect([1024, 2048, 3072, 4096]).toContain(numberOf('memory', task));
    expect(numberOf('cpu', task)).toBe(512);
  });

  it('believes the balancer who asks: limits and failed keys are counted by the caller’s address', () => {
    expect(ecs).toContain('TRUST_PROXY = "1"');
  });

  it('keeps idle connections for longer than the balancer does', () => {
    expect(ecs).toMatch(/KEEP_ALIVE_TIMEOUT += tostring\(aws_lb\.this\.idle_timeout \+ \d+\)/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

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

describe('the gateway’s task', () => {
  it('mounts volumes of its image only: on Fargate any other is root’s alone, and the gateway is not root', () => {
    const mounted = [...ecs.matchAll(/containerPath = "(.*?)"/g)].map(([, path]) => path);
    const [, volumes = '[]'] = /^VOLUME (.*)$/m.exec(read('gateway/Dockerfile')) ?? [];
    expect(mounted).toEqual(JSON.parse(volumes));
    expect(mounted).toEqual([/ANALYTICS_CACHE_DIR=(\S+)/.exec(read('gateway/Dockerfile'))![1]]);
  });

  it('believes the balancer who asks: limits and failed keys are counted by the caller’s address', () => {
    expect(ecs).toContain('TRUST_PROXY = "1"');
  });

  it('keeps idle connections for longer than the balancer does', () => {
    expect(ecs).toMatch(/KEEP_ALIVE_TIMEOUT += tostring\(aws_lb\.this\.idle_timeout \+ \d+\)/);
  });
});

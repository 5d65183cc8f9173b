import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Call } from '../faults/harness/s3-proxy';
import { inWorld } from '../faults/harness/world';
import { describeWith } from '../services/need';
import { allowed, s3Action, sdkActions } from './iam-actions';

describe('the policies of deploy/terraform', () => {
  it('allow for the catalog what the gateway asks of Glue, and nothing else', () => {
    expect(sdkActions('glue')).not.toEqual([]);
    expect(allowed('catalog')).toEqual(sdkActions('glue'));
  });

  it('allow for tasks what the gateway asks of ECS, and what that takes', () => {
    expect(sdkActions('ecs')).toContain('ecs:RunTask');
    // RunTask labels the task, and hands its roles over.
    expect(allowed('tasks')).toEqual([...sdkActions('ecs'), 'ecs:TagResource', 'iam:PassRole'].sort());
  });

  it('allow nothing with a wildcard', () => {
    for (const policy of ['lake', 'sweep', 'catalog', 'tasks', 'execution', 'deploy']) {
      expect(allowed(policy).filter((action) => !/^[a-z0-9]+:[A-Za-z0-9]+$/.test(action))).toEqual([]);
    }
  });

  it('are for the lake the one that the operations page shows', () => {
    const page = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
    const shown = JSON.parse(/```json\n(\{\n {2}"Version"[\s\S]*?)```/.exec(page)![1]!);
    const actions = shown.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action).sort();
    expect(actions).toEqual(allowed('lake'));
  });
});

describeWith(['postgresql', 's3'], 'what is asked of S3', () => {
  it('is what the policies allow, and all of it', async () => {
    const asked = new Set<string>();
    const note = (call: S3Call) => {
      for (const action of s3Action(call)) asked.add(action);
      return false;
    };
    await inWorld({ gateways: 0, settings: { LEASE_TTL: '20' } }, async ({ addGateway, shop }) => {
      // From the first call on: its start asks for what nothing else does.
      const gateway = await addGateway({ line: (s3) => void s3.strike(note, () => undefined) });
      // Two parts at least: 12 MiB of rows.
      await shop.query(`ALTER TABLE payments ADD COLUMN note text`);
      await shop.query(`UPDATE payments SET note = repeat('x', 700000)`);
      expect((await gateway.post()).status).toBe(200);
      expect((await gateway.post('postgresql', { headers: { 'Idempotency-Key': 'iam-iam-iam' } })).status).toBe(200);
      const dry = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"dry_run":true}' };
      expect((await gateway.post('postgresql', dry)).status).toBe(200);
      // One that is stopped in the middle of its upload.
      gateway.s3.throttle(500_000);
      const before = gateway.s3.calls.length;
      const runId = await gateway.begin();
      const uploads = () => gateway.s3.calls.slice(before).some((call) => /^POST .*payments_/.test(call));
      while (!uploads()) await sleep(50);
      await gateway.cancel(runId);
      gateway.s3.throttle(null);
      expect((await gateway.endOf(runId)).state).toBe('cancelled');
      for (const path of [
        '/health',
        '/api/ingesta',
        '/api/ingesta/health',
        '/api/ingesta/runs',
        `/api/ingesta/runs/${runId}`,
      ]) {
        expect((await gateway.get(path)).status).toBe(200);
      }
      expect((await fetch(`${gateway.url}/api/ingesta/runs/${runId}/logs`)).status).toBe(200);
    });
    expect([...asked].sort()).toEqual([...allowed('lake'), ...allowed('sweep')].sort());
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { cpuClock } from './cpu-time';

/** Far more than what else may end below this process meanwhile. */
const BURN = `const end = process.cpuUsage().user + 1_500_000;
while (process.cpuUsage().user < end) for (let i = 0; i < 1e7; i++);`;
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a program that has ended counts as the program, one that still runs as a server', async () => {
  const server = spawn(process.execPath, ['-e', `process.stdin.once('data', () => { ${BURN} console.log('done') })`]);
  await new Promise((resolve) => server.once('spawn', resolve));
  const clock = cpuClock();
  spawnSync(process.execPath, ['-e', BURN]);
  const alone = clock()!;
  expect(alone.program).toBeGreaterThanOrEqual(1500);
  server.stdin.write('go');
  await new Promise((resolve) => server.stdout.once('data', resolve));
  const both = clock()!;
  expect(both.servers - alone.servers).toBeGreaterThanOrEqual(1400);
  expect(both.program - alone.program).toBeLessThan(1000);
  server.kill();
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** `npm run build` makes it. */
const TOOL = join(__dirname, 'dist/main.js');

const run = (...args: string[]) => {
  const env = { PATH: process.env.PATH, NOTAS_AUTHOR: 'Ana' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [TOOL, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};
const notas = join(__dirname, '../e2e/fixtures/notas');

it('prints a line for each check and the sum, and ends with 0 where all holds', () => {
  const { status, stdout } = run('--only', 'describe,stdout', notas);
  expect(stdout).toMatch(
    /as source notas\n\nCHECK +RESULT +WHAT WAS SEEN\ndescribe +ok +\S.*\nstdout +ok +\S.*\n\n2 ok\n$/,
  );
  expect(status).toBe(0);
});

it('ends with 1 where something does not hold, or cannot be checked under --strict', () => {
  expect(run('--name', 'mute', '--only', 'describe', 'node', '-e', '0').status).toBe(1);
  expect(run('--only', 'attempt', notas).status).toBe(0);
  expect(run('--strict', '--only', 'attempt', notas).status).toBe(1);
});

it('ends with 2 and says why where nothing could be checked', () => {
  expect(run()).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--help tells more') });
  expect(run('--only', 'nope', notas)).toMatchObject({ status: 2, stderr: expect.stringContaining('nope') });
});

it('explains itself', () => {
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--env-file') });
});

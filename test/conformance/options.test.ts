import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSubject } from './open-subject';
import { parseOptions, readEnvFiles, UsageError } from './options';

describe('the command line', () => {
  it('ends where the target begins: its flags are the command’s own', () => {
    const options = parseOptions(['--strict', '--only', 'csv,keys', 'node', 'x.js', '--strict', '--only']);
    expect(options).toMatchObject({
      strict: true,
      only: ['csv', 'keys'],
      target: ['node', 'x.js', '--strict', '--only'],
    });
  });

  it.each([[[]], [['--strict']], [['--nope', 'x']], [['--only']], [['--timeout', 'soon', 'x']]])(
    'refuses %j',
    (argv: string[]) => {
      expect(() => parseOptions(argv)).toThrow(UsageError);
    },
  );

  it('reads settings from files, and lets the environment win', () => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-env-'));
    const file = join(folder, 'env');
    writeFileSync(file, '# who\nA=1\nB="two words"\n');
    expect(readEnvFiles([file], { A: '0' })).toEqual({ A: '0', B: 'two words' });
    rmSync(folder, { recursive: true });
    expect(() => readEnvFiles([file], {})).toThrow(UsageError);
  });
});

describe('the target', () => {
  const open = (target: string[], name?: string) => openSubject({ target, name, network: null, timeoutMs: 1000 });
  const breaker = join(__dirname, 'fixtures/breaker');

  it('is a folder, or a command whose folder tells the name', async () => {
    expect(await open([breaker])).toMatchObject({ kind: 'command', name: 'breaker' });
    expect(await open(['node', join(breaker, 'breaker.cjs')])).toMatchObject({ kind: 'command', name: 'breaker' });
    expect(await open(['node', '--version'], 'mine')).toMatchObject({ kind: 'command', name: 'mine' });
  });

  it('needs a name that a source can have', async () => {
    await expect(open(['node', '--version'])).rejects.toThrow('give --name');
    await expect(open([breaker], 'No Name')).rejects.toThrow('no name of a source');
  });
});

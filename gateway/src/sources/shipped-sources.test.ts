import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessRunner } from '../runners/process-runner';
import { ShippedSources } from './shipped-sources';

const GOOD = { title: 'Good', env_prefix: 'GOOD_', env: [], command: ['node', 'dist/main.js'] };

describe('the folders of sources', () => {
  let folder: string;
  let sources: ShippedSources;
  const write = (name: string, content: string) => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'source.json'), content);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ingesta-sources-'));
    sources = new ShippedSources(folder);
    write('good', JSON.stringify(GOOD));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are those with a source.json and a name that routes can take', () => {
    for (const name of ['runs', 'health', 'Upper', '9lives', 'a_b']) write(name, JSON.stringify(GOOD));
    mkdirSync(join(folder, 'kit'));
    expect(sources.names()).toEqual(['good']);
    expect(sources.get('../good')).toBeNull();
    expect(sources.get('good/../good')).toBeNull();
    expect(sources.get('kit')).toBeNull();
  });

  it('may be added while the gateway runs', () => {
    write('later', JSON.stringify({ ...GOOD, title: 'Later' }));
    expect(sources.names()).toEqual(['good', 'later']);
    expect(sources.title('later')).toBe('Later');
  });

  it.each([
    ['no JSON', '{', /it is not JSON/],
    ['a missing field', JSON.stringify({ ...GOOD, title: undefined }), /title/],
    ['an unknown field', JSON.stringify({ ...GOOD, colour: 'red' }), /colour/],
  ])('one with %s is listed with its problem, and hides no other', async (_, content, problem) => {
    write('broken', content);
    expect(() => sources.get('broken')).toThrow(
      expect.objectContaining({ code: 'SOURCE_CONFIG', message: expect.stringMatching(problem) }),
    );
    const listed = await new ProcessRunner(sources, {}).list();
    expect(listed.map(({ name, present }) => ({ name, present }))).toEqual([
      { name: 'broken', present: false },
      { name: 'good', present: false },
    ]);
    expect(listed[0]).toMatchObject({ hint: expect.stringMatching(problem) });
  });

  it('no folder at all is no sources', () => {
    expect(new ShippedSources(null).names()).toEqual([]);
    expect(new ShippedSources(join(folder, 'absent')).names()).toEqual([]);
  });
});

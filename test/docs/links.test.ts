import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ERRORS } from '../../gateway/src/errors';

const ROOT = join(__dirname, '../..');

const SKIPPED = new Set(['node_modules', 'dist', 'generated', 'coverage']);

/** Every Markdown file of ours. Not asked of git: a copy without its history is tested too. */
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).flatMap((name) => {
    if (name.startsWith('.') || SKIPPED.has(name)) return [];
    const path = join(folder, name);
    if (isFolder(path)) return markdownIn(path);
    return name.endsWith('.md') ? [path] : [];
  });

const isFolder = (path: string): boolean =>
  statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory() ?? false;

const FILES = markdownIn('')
  .map((path) => path.replaceAll('\\', '/'))
  .sort();

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Fenced blocks by language, and the text without them. */
function parse(text: string): { blocks: { language: string; body: string }[]; prose: string } {
  const blocks: { language: string; body: string }[] = [];
  const prose = text.replace(/^```(\w*)\n([\s\S]*?)^```$/gm, (_, language: string, body: string) => {
    blocks.push({ language, body });
    return '';
  });
  return { blocks, prose };
}

const headings = (text: string) =>
  [...parse(text).prose.matchAll(/^(#+) (.+)$/gm)].map(([, marks, title]) => ({ level: marks!.length, title: title! }));

/** The anchors that GitHub makes of headings. */
function anchors(text: string): Set<string> {
  const made = new Set<string>();
  for (const { title } of headings(text)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let unique = slug;
    for (let i = 1; made.has(unique); i++) unique = `${slug}-${i}`;
    made.add(unique);
  }
  return made;
}

const links = (text: string): string[] =>
  [
    ...parse(text)
      .prose.replace(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^()\s]+)\)/g),
  ].map(([, target]) => target!);

/** Why a link leads nowhere, or null. Addresses of other sites are not followed. */
function problemOf(file: string, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null;
  const [path, anchor] = target.split('#') as [string, string?];
  const found = path === '' ? join(ROOT, file) : join(ROOT, dirname(file), decodeURIComponent(path));
  if (relative(ROOT, found).startsWith('..')) return `${target} leads out of the repository`;
  if (!existsSync(found)) return `${target} does not exist`;
  if (anchor === undefined) return null;
  if (statSync(found).isDirectory()) return `${target} is a folder`;
  return anchors(readFileSync(found, 'utf8')).has(anchor) ? null : `${target}: no such heading`;
}

it.each(FILES)('%s: every link leads somewhere', (file) => {
  expect(links(read(file)).flatMap((target) => problemOf(file, target) ?? [])).toEqual([]);
});

it.each(FILES)('%s: every JSON block is JSON', (file) => {
  for (const { body } of parse(read(file)).blocks.filter(({ language }) => language === 'json')) JSON.parse(body);
});

it('knows a broken link when it sees one', () => {
  expect(problemOf('README.md', 'docs/absent.md')).toContain('does not exist');
  expect(problemOf('README.md', 'docs/operations.md#absent')).toContain('no such heading');
  expect(problemOf('README.md', '../elsewhere')).toContain('out of the repository');
  expect(problemOf('README.md', 'docs/operations.md#s3-policy')).toBeNull();
});

describe('README.md and README.es.md', () => {
  const [english, spanish] = [read('README.md'), read('README.es.md')];

  it('have the same headings, level by level', () => {
    const levels = (text: string) => headings(text).map(({ level }) => level);
    expect(levels(spanish)).toEqual(levels(english));
  });

  it('have the same commands and answers', () => {
    const said = (text: string) => parse(text).blocks.filter(({ language }) => /^(sh|json)$/.test(language));
    expect(said(spanish)).toEqual(said(english));
  });

  it('have as many blocks, table rows and list items', () => {
    const counts = (text: string) => {
      const { blocks, prose } = parse(text);
      const lines = prose.split('\n');
      const starting = (mark: string) => lines.filter((line) => line.startsWith(mark)).length;
      return { blocks: blocks.map(({ language }) => language), rows: starting('|'), items: starting('- ') };
    };
    expect(counts(spanish)).toEqual(counts(english));
  });

  it.each(Object.entries(ERRORS))('explain %s', (code, { status }) => {
    for (const text of [english, spanish]) expect(text).toMatch(new RegExp(`^\\| \`${code}\` ${status} *\\|`, 'm'));
  });
});

it('numbers the decisions without a gap', () => {
  const numbers = FILES.flatMap((file) => /^docs\/adr\/(\d{4})-/.exec(file)?.[1] ?? []).map(Number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root';
import { ENGINE_NAMES } from './engines';
import { withSection } from './write-section';

test('a section is replaced between its marks, and nothing else', () => {
  const text = 'a\n<!-- bench:one -->\nold\n<!-- /bench:one -->\nb\n';
  const once = withSection(text, 'one', '| new |');
  expect(once).toBe('a\n<!-- bench:one -->\n\n| new |\n\n<!-- /bench:one -->\nb\n');
  expect(withSection(once, 'one', '| new |')).toBe(once);
});

test('a section without marks is an error', () => {
  expect(() => withSection('text', 'one', 'x')).toThrow('bench:one');
});

test('docs/benchmarks.md has a place for every table', () => {
  const text = readFileSync(join(ROOT, 'docs/benchmarks.md'), 'utf8');
  for (const engine of ENGINE_NAMES) {
    for (const section of ['comparison', 'series']) {
      expect(withSection(text, `${engine}-${section}`, 'figures')).toContain('figures');
    }
  }
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine, QueryTable, ResultSet, SqlChecker, Statement } from '../analytics/engines/engine';
import { loadPacks } from '../analytics/packs/load-packs';
import type { Pack } from '../analytics/packs/pack';

/** A folder of packs of the test's own. */
export class PackFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'ingesta-packs-'));

  /** Writes `<pack>/schema.sql` or a route; lines are numbered from 1. */
  write(file: string, ...lines: string[]): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true });
    writeFileSync(join(this.path, file), `${lines.join('\n')}\n`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Finds every statement right; its columns are what it calls them with AS, all of them integers. */
export const FAKE_CHECKER: SqlChecker = {
  describe: async (_, statements) =>
    statements.map(({ sql }) =>
      [...sql.matchAll(/\bAS (\w+)(?=,|\s|$)(?! varchar)/g)].map(([, name]) => ({
        name: name!,
        type: 'integer' as const,
      })),
    ),
};

/** Answers when the test says so. */
export class FakeEngine implements Engine {
  readonly name = 'duckdb';
  readonly queries: { tables: readonly QueryTable[]; statements: readonly Statement[]; signal: AbortSignal }[] = [];
  answer: (tables: readonly QueryTable[], statements: readonly Statement[]) => Promise<ResultSet[]> = async (_, all) =>
    all.map(() => ({ columns: [{ name: 'n', type: 'integer' }], rows: [[1]] }));

  async query(tables: readonly QueryTable[], statements: readonly Statement[], signal: AbortSignal) {
    this.queries.push({ tables, statements, signal });
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return Promise.race([this.answer(tables, statements), aborted]);
  }

  async close(): Promise<void> {}
}

/** The packs of a folder, as a gateway without packs of its own would load them. */
export const loadFrom = (folder: PackFolder, checker: SqlChecker = FAKE_CHECKER): Promise<Pack[]> =>
  loadPacks({ shipped: null, mounted: folder.path, chosen: null }, new Set(['api', 'docs']), checker);

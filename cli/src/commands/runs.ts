import type { RunSummary } from '../answers';
import type { Context } from '../context';
import { EXIT, type ExitCode } from '../exit-codes';
import { duration } from '../quantities';
import { textTable } from '../text-table';

/** The gateway gives no more at once. */
const PAGE = 100;

/** `ingesta runs`: the last ones, newest first. */
export async function runs({ gateway, options, out, signal }: Context): Promise<ExitCode> {
  const { db, state, limit, json } = options;
  const found: RunSummary[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - found.length)) });
    for (const [name, value] of Object.entries({ db, state, cursor })) if (value !== null) query.set(name, value);
    type Page = { runs: RunSummary[]; next_cursor: string | null };
    const { body }: { body: Page } = await gateway.json<Page>(`/api/ingesta/runs?${query}`, { signal });
    found.push(...body.runs);
    cursor = body.next_cursor;
  } while (cursor !== null && found.length < limit);
  if (json) for (const run of found) out(JSON.stringify(run));
  else for (const line of listed(found)) out(line);
  return EXIT.OK;
}

const listed = (found: readonly RunSummary[]): string[] =>
  found.length === 0
    ? ['No runs.']
    : textTable(
        [
          { title: 'RUN' },
          { title: 'DATABASE' },
          { title: 'STATE' },
          { title: 'STARTED' },
          { title: 'TOOK', align: 'right' },
          { title: 'ERROR' },
        ],
        found.map(({ run_id, database, state, started_at, duration_ms, error_code }) => [
          run_id,
          database,
          state,
          `${started_at.slice(0, 19)}Z`,
          duration_ms === null ? '' : duration(duration_ms),
          error_code ?? '',
        ]),
      );

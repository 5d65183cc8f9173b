import type { ScriptEvent, TableProgress } from '@ingesta/kit';

/** A record must stay small, however many tables a run has. */
const MAX_TABLES = 500;

/** The tables of a run as its script's events tell of them; of very many, those begun last. */
export class Progress {
  readonly #tables = new Map<string, TableProgress>();

  /** Whether the event changed anything. */
  note(event: ScriptEvent): boolean {
    if (event.event === 'log') return false;
    const { table } = event;
    const before = this.#tables.get(table);
    if (event.event === 'table_started') {
      this.#tables.delete(table);
      this.#tables.set(table, { state: 'running', rows: 0, bytes: 0, estimated_rows: event.estimated_rows });
    } else {
      const state = event.event === 'table_finished' ? 'finished' : 'running';
      const { rows, bytes } = event;
      this.#tables.set(table, { state, rows, bytes, estimated_rows: before?.estimated_rows ?? null });
    }
    if (this.#tables.size > MAX_TABLES) this.#tables.delete(this.#tables.keys().next().value!);
    return true;
  }

  /** Another attempt begins at nothing. */
  clear(): void {
    this.#tables.clear();
  }

  toRecord(): Record<string, TableProgress> {
    return Object.fromEntries(this.#tables);
  }
}

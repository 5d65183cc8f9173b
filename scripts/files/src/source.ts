import {
  type CsvChunk,
  EXIT,
  failed,
  type ListedTable,
  ScriptError,
  type Source,
  type SourceContext,
  type SourceSession,
  type SourceTable,
  type TableSelection,
} from '@ingesta/kit';
import { FileProblem } from './file-problem';
import { FolderOrigin } from './folder-origin';
import { LakeOrigin } from './lake-origin';
import { FileChanged, type FoundFile, type Origin } from './origin';
import { type Format, parseSettings, type Settings } from './settings';
import { examine, type FileTable, type Reading, readRows } from './table';
import { kindOf, nameTables, type TableFile } from './table-files';

/** So many files are named when they are left out. */
const MAX_TOLD = 20;

/** Files as they were delivered: CSV and JSON-lines, plain or gzipped, in a folder or in the lake; each is a table. */
export const files: Source = {
  async connect(env, context) {
    const { place, format } = parseSettings(env);
    return new FilesSession(await openOrigin(place, context), format, context);
  },
};

async function openOrigin(place: Settings['place'], context: SourceContext): Promise<Origin> {
  if ('folder' in place) return FolderOrigin.open(place.folder);
  return new LakeOrigin(await context.lake(), place.lakePrefix);
}

class FilesSession implements SourceSession {
  /** Each file stays the same while it is read, or the run fails; nothing holds them together. */
  readonly consistency = 'none';
  readonly takenAt = new Date();
  readonly parallelReads = 1;
  #listed = new Map<string, TableFile>();
  readonly #found = new Map<string, { reading: Reading; table: FileTable }>();

  constructor(
    readonly origin: Origin,
    readonly format: Format,
    readonly context: SourceContext,
  ) {}

  async list(): Promise<ListedTable[]> {
    this.#listed = new Map((await this.#tableFiles()).map((file) => [file.name, file]));
    return [...this.#listed.keys()].map((name) => ({ name, onDemand: false }));
  }

  async describe(names: readonly string[]): Promise<SourceTable[]> {
    const empty: string[] = [];
    const tables: SourceTable[] = [];
    for (const name of names) {
      const file = this.#listed.get(name)!;
      const reading = { origin: this.origin, file, format: this.format, context: this.context };
      const table = await this.#settled(file, () => examine(reading));
      if (table === null) empty.push(file.file.path);
      else {
        this.#found.set(name, { reading, table });
        tables.push({ name, columns: table.columns, estimatedRows: table.estimatedRows });
      }
    }
    this.#warnOf('Not taken, for there is no table in them', empty);
    return tables;
  }

  async *read(selection: TableSelection): AsyncGenerator<CsvChunk, void, undefined> {
    const { reading, table } = this.#found.get(selection.table.name)!;
    try {
      yield* readRows(reading, table, selection);
      await this.#sameAsFound(reading.file);
    } catch (error) {
      throw await this.#explain(error, reading.file);
    }
  }

  close(): Promise<void> {
    return this.origin.close();
  }

  /** By name. */
  async #tableFiles(): Promise<TableFile[]> {
    const found = new Map<string, FoundFile>();
    const others: string[] = [];
    for await (const file of this.origin.list()) {
      this.context.signal.throwIfAborted();
      if (kindOf(file.path)) found.set(file.path, file);
      else others.push(file.path);
    }
    this.#warnOf(
      'Not taken, for their names end in none of .csv, .tsv, .txt, .jsonl, .ndjson and these with .gz',
      others,
    );
    return [...nameTables([...found.keys()])]
      .map(([path, name]) => ({ file: found.get(path)!, name, ...kindOf(path)! }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #warnOf(why: string, paths: string[]): void {
    if (paths.length === 0) return;
    const rest = paths.length > MAX_TOLD ? ` and ${paths.length - MAX_TOLD} more` : '';
    this.context.warn(`${why}: ${paths.slice(0, MAX_TOLD).join(', ')}${rest}`);
  }

  async #settled<T>(file: TableFile, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      await this.#sameAsFound(file);
      return result;
    } catch (error) {
      throw await this.#explain(error, file);
    }
  }

  async #sameAsFound({ file }: TableFile): Promise<void> {
    if (!(await this.origin.isUnchanged(file))) throw new FileChanged();
  }

  /** What an error means. A file that changes explains whatever was wrong with it. */
  async #explain(error: unknown, { file, name }: TableFile): Promise<unknown> {
    const { signal } = this.context;
    if (signal.aborted) return signal.reason;
    if (error instanceof FileChanged) return changed(file.path);
    if (!(error instanceof FileProblem)) return error;
    const same = await this.origin.isUnchanged(file).catch(() => true);
    return same ? failed(`Table ${name}: ${file.path}, ${error.message}`, error.hint, error) : changed(file.path);
  }
}

const changed = (path: string) =>
  new ScriptError(
    EXIT.TEMPORARY,
    'SOURCE_UNAVAILABLE',
    `The file ${path} changed while it was read`,
    'Somebody is still writing it. Deliver under another name (ending in .part), and rename it when it is whole.',
  );

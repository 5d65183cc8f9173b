import type { ScriptEvent } from '@ingesta/kit';
import { ApiError } from '../errors';
import type { JobSpec, LaunchableSource, LeftBehind, Outcome, Runner, SourceListing } from './runner';

/** One entry of `SOURCES`: a connection of its own to what another source's script can read. */
export interface Connection {
  /** The source whose script it takes. */
  kind: string;
  /** Stands before each of that script's variables: `VENTAS_` makes `VENTAS_MYSQL_HOST`. */
  envPrefix: string;
}

/** Adds named connections to a runner's sources; a connection of the same name as a source stands in its place. */
export class NamedConnections implements Runner {
  readonly name: string;

  constructor(
    private readonly inner: Runner,
    private readonly connections: ReadonlyMap<string, Connection>,
  ) {
    this.name = inner.name;
  }

  async list(): Promise<SourceListing[]> {
    const listings = await this.inner.list();
    const byName = new Map(listings.map((listing) => [listing.name, listing]));
    for (const [name, { kind }] of this.connections) {
      const script = listings.find((listing) => listing.name === kind);
      const hint = `SOURCES names ${kind}, which is no source`;
      // Whoever puts files in the place of mysql still means mysql.
      const title = byName.get(name)?.title ?? script?.title ?? name;
      byName.set(name, script ? { ...script, name, title } : { name, reference: kind, present: false, title, hint });
    }
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async resolve(name: string): Promise<LaunchableSource> {
    const connection = this.connections.get(name);
    try {
      if (connection === undefined) return await this.inner.resolve(name);
      return { ...(await this.inner.resolve(connection.kind)), name, envPrefix: connection.envPrefix };
    } catch (error) {
      throw error instanceof ApiError && error.code === 'UNKNOWN_SOURCE' ? await this.#unknown(error) : error;
    }
  }

  /** The runner knows its own sources; who mistyped a connection's name needs those, too. */
  async #unknown(error: ApiError): Promise<ApiError> {
    const known = (await this.list()).map(({ name }) => name);
    return new ApiError('UNKNOWN_SOURCE', error.message, { hint: `Known: ${known.join(', ')}.`, cause: error });
  }

  run(spec: JobSpec, signal: AbortSignal, onEvent: (event: ScriptEvent) => void): Promise<Outcome> {
    return this.inner.run(spec, signal, onEvent);
  }

  reap(deployment: string, isOver: (left: LeftBehind) => Promise<boolean>): Promise<string[]> {
    return this.inner.reap(deployment, isOver);
  }

  check(): Promise<void> {
    return this.inner.check();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

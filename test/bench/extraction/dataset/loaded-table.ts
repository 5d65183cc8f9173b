/** A database of its own on a real server, with the one table in it. */
export interface LoadedTable {
  readonly rows: number;
  readonly database: string;
  readonly server: Server;
  /** Variables of this project's script; `fromContainer` where it runs in a container. */
  settings(fromContainer: boolean): Record<string, string>;
  /** Removes the database. */
  drop(): Promise<void>;
}

/** Where the server is, for the programs of others. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

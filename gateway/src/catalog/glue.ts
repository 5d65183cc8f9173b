import type { GlueClient, Table, TableInput } from '@aws-sdk/client-glue';
import { awsError } from '../aws-error';
import type { AwsClientSettings } from '../aws-settings';

const RIGHTS = 'glue:CreateDatabase, GetTables, CreateTable, UpdateTable, BatchDeleteTable';
/** What one request deletes at most. */
const BATCH = 100;

type Sdk = typeof import('./glue-sdk');

/** One database of the AWS Glue catalog. Its methods throw `ApiError`. The SDK is loaded on first use. */
export class Glue {
  #client: GlueClient | undefined;

  constructor(
    readonly database: string,
    private readonly settings: AwsClientSettings,
  ) {}

  /** The tables whose names begin so; none where the database is not there yet. */
  async tables(prefix: string): Promise<Table[]> {
    return this.#call(async (sdk, client) => {
      const request = { DatabaseName: this.database, Expression: `${prefix}.*` };
      const found: Table[] = [];
      try {
        for await (const { TableList = [] } of sdk.paginateGetTables({ client }, request)) found.push(...TableList);
      } catch (error) {
        if (!(error instanceof sdk.EntityNotFoundException)) throw error;
      }
      return found.filter(({ Name = '' }) => Name.startsWith(prefix));
    });
  }

  /** Makes the table, and the database around it where there is none. False if the table is there already. */
  async create(table: TableInput): Promise<boolean> {
    return this.#call(async (sdk, client) => {
      const request = new sdk.CreateTableCommand({ DatabaseName: this.database, TableInput: table });
      try {
        await client.send(request).catch(async (error) => {
          if (!(error instanceof sdk.EntityNotFoundException)) throw error;
          await this.#createDatabase(sdk, client);
          await client.send(request);
        });
        return true;
      } catch (error) {
        if (error instanceof sdk.AlreadyExistsException) return false;
        throw error;
      }
    });
  }

  /** Replaces the table's description as a whole, at once. False if the table is of that version no more, or gone. */
  async update(table: TableInput, version: string | undefined): Promise<boolean> {
    return this.#call(async (sdk, client) => {
      const which = { DatabaseName: this.database, VersionId: version, SkipArchive: true };
      try {
        await client.send(new sdk.UpdateTableCommand({ ...which, TableInput: table }));
        return true;
      } catch (error) {
        if (error instanceof sdk.ConcurrentModificationException || error instanceof sdk.EntityNotFoundException)
          return false;
        throw error;
      }
    });
  }

  /** Deletes the tables that are there. Their data stays where it is. */
  async delete(names: readonly string[]): Promise<void> {
    for (let start = 0; start < names.length; start += BATCH) {
      const TablesToDelete = names.slice(start, start + BATCH);
      const { Errors = [] } = await this.#call((sdk, client) =>
        client.send(new sdk.BatchDeleteTableCommand({ DatabaseName: this.database, TablesToDelete })),
      );
      const failed = Errors.find(({ ErrorDetail }) => ErrorDetail?.ErrorCode !== 'EntityNotFoundException');
      if (failed) {
        const { ErrorCode = '', ErrorMessage = '' } = failed.ErrorDetail ?? {};
        throw awsError(Object.assign(new Error(ErrorMessage), { name: ErrorCode }), 'Glue', RIGHTS);
      }
    }
  }

  async #createDatabase(sdk: Sdk, client: GlueClient): Promise<void> {
    const Description = 'Tables of the latest snapshots, kept by Ingesta.';
    const request = new sdk.CreateDatabaseCommand({ DatabaseInput: { Name: this.database, Description } });
    await client.send(request).catch((error) => {
      if (!(error instanceof sdk.AlreadyExistsException)) throw error;
    });
  }

  async #call<T>(send: (sdk: Sdk, client: GlueClient) => Promise<T>): Promise<T> {
    const sdk = await import('./glue-sdk');
    this.#client ??= new sdk.GlueClient(this.settings);
    try {
      return await send(sdk, this.#client);
    } catch (error) {
      throw awsError(error, 'Glue', RIGHTS);
    }
  }
}

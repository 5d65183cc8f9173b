import type { Client, Connection, FieldDef, Submittable } from 'pg';

/**
 * The columns of one statement as the server tells them; it is parsed, not run. Null for one that returns no rows. Throws
 * the server's error: several statements, for one, are none.
 */
export function describeStatement(client: Client, text: string): Promise<FieldDef[] | null> {
  return new Promise((resolve, reject) => {
    client.query(new Description(text, resolve, reject));
  });
}

class Description implements Submittable {
  #fields: FieldDef[] | null = null;

  constructor(
    readonly text: string,
    readonly resolve: (fields: FieldDef[] | null) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  submit(connection: Connection): void {
    connection.parse({ name: '', text: this.text, types: [] }, true);
    connection.describe({ type: 'S', name: '' }, true);
    connection.sync();
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.#fields = fields;
  }

  handleError(error: unknown): void {
    this.reject(error);
  }

  handleReadyForQuery(): void {
    this.resolve(this.#fields);
  }
}

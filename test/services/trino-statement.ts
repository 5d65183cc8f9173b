/** What Trino answers, as far as it is read here. Values are Trino's own text of them; null is NULL. */
export interface StatementPage {
  nextUri?: string;
  columns?: { name: string; type: string }[];
  data?: (string | null)[][];
  error?: { message: string; errorName: string };
}

interface Answer extends Omit<StatementPage, 'columns'> {
  columns?: { name: string; typeSignature: { rawType: string } }[];
  stats: { state: string };
}

/** Texts as they are, and everything else that is a value. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|\btrue\b|\bfalse\b/g;

/** One statement on a Trino, for tests that stand between it and somebody: not the gateway's own client. */
export class TrinoStatement {
  #page: StatementPage | undefined;
  #cancelled = false;

  constructor(
    private readonly url: string,
    private readonly what: { catalog: string; schema: string; sql: string },
  ) {}

  /** Submits it; settles when Trino has parsed it, or has an error to tell. */
  async begin(): Promise<StatementPage> {
    let answer = await this.#ask('POST', `${this.url}/v1/statement`);
    while (answer.nextUri !== undefined && answer.stats.state === 'QUEUED')
      answer = await this.#ask('GET', answer.nextUri);
    this.#page = pageOf(answer);
    return this.#page;
  }

  /** What begun statements yield, page by page, to the end, an error, or until it is cancelled. */
  async *pages(): AsyncGenerator<StatementPage> {
    for (;;) {
      yield this.#page!;
      const { nextUri } = this.#page!;
      if (nextUri === undefined || this.#cancelled) return;
      this.#page = pageOf(await this.#ask('GET', nextUri));
    }
  }

  /** Ends it in Trino; of one that has ended it does nothing. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    if (this.#page?.nextUri !== undefined) await fetch(this.#page.nextUri, { method: 'DELETE' });
  }

  async #ask(method: string, uri: string): Promise<Answer> {
    const { catalog, schema, sql } = this.what;
    const headers = {
      'X-Trino-User': 'test',
      'X-Trino-Catalog': catalog,
      'X-Trino-Schema': schema,
      'X-Trino-Time-Zone': 'UTC',
    };
    const response = await fetch(uri, { method, headers, ...(method === 'POST' && { body: sql }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Trino says ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"${token}"`)));
  }
}

const pageOf = ({ columns, ...rest }: Answer): StatementPage => ({
  ...rest,
  ...(columns && { columns: columns.map(({ name, typeSignature }) => ({ name, type: typeSignature.rawType })) }),
});

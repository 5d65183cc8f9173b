import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A call, as far as it is looked at. */
export interface GlueCall {
  action: string;
  input: { DatabaseName?: string; VersionId?: string; TableInput?: { Name?: string } };
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' };

/**
 * Glue's API before moto's, which takes an UpdateTable for any version: here one that names a version other than the
 * table's own is refused, as Glue refuses it.
 */
export class VersionedGlue {
  /** Called with what comes before it is looked at; the call waits for it. */
  before: (call: GlueCall) => Promise<void> | void = () => undefined;
  /** Checked and done one after the other, so that nothing comes between the two. */
  #updates: Promise<unknown> = Promise.resolve();
  readonly #server = createServer(async (request, response) => {
    const { status, body } = await this.#answer(request).catch((error) => ({ status: 500, body: String(error) }));
    response.writeHead(status, JSON_TYPE).end(body);
  });

  constructor(private readonly moto: string) {}

  /** Its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage) {
    const body = await text(request);
    const { authorization = '', 'x-amz-target': target } = request.headers;
    const send = (action: string, content: string) => this.#send(authorization, action, content);
    const action = String(target).replace(/^AWSGlue\./, '');
    const input = JSON.parse(body) as GlueCall['input'];
    await this.before({ action, input });
    if (action !== 'UpdateTable' || input.VersionId === undefined) return send(action, body);
    const update = this.#updates.then(async () => {
      const table = { DatabaseName: input.DatabaseName, Name: input.TableInput?.Name };
      const there = await send('GetTable', JSON.stringify(table));
      if (there.status !== 200 || JSON.parse(there.body).Table.VersionId === input.VersionId) return send(action, body);
      const refusal = {
        __type: 'ConcurrentModificationException',
        Message: 'Update table failed due to concurrent modifications.',
      };
      return { status: 400, body: JSON.stringify(refusal) };
    });
    this.#updates = update.catch(() => undefined);
    return update;
  }

  async #send(authorization: string, action: string, body: string) {
    const headers = { ...JSON_TYPE, authorization, 'x-amz-target': `AWSGlue.${action}` };
    const answer = await fetch(this.moto, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.text() };
  }
}

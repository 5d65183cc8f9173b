import type { Fault, Match } from './s3-proxy';

const PUT_OR_POST = new Set(['PUT', 'POST']);

/** Writes of an object whose key ends so. */
export const writeOf =
  (ending: string | RegExp): Match =>
  ({ method, key }) =>
    PUT_OR_POST.has(method) && (typeof ending === 'string' ? key.endsWith(ending) : ending.test(key));

/** Calls that match the last of these, once others have matched those before it, in their order. */
export function inOrder(...matches: Match[]): Match {
  let at = 0;
  return (call) => {
    if (!matches[at]!(call)) return false;
    if (at === matches.length - 1) return true;
    at += 1;
    return false;
  };
}

/** The server executes the call; its answer never arrives. */
export const loseAnswer: Fault = async (exchange) => {
  await exchange.forward();
  exchange.breakOff();
};

/** The call's connection breaks while its body is on the way. */
export const breakMidway: Fault = (exchange) => exchange.breakMidway();

/** The call never arrives. */
export const loseCall: Fault = (exchange) => exchange.breakOff();

/** S3 refuses, and executes nothing. `status` 200 with an error inside is what S3 does when it has begun to answer. */
export const refuse =
  (status: number, code: string): Fault =>
  async (exchange) => {
    await exchange.body();
    exchange.reply({ status, headers: { 'content-type': 'application/xml' }, body: errorOf(code) });
  };

/** The call is executed, and the answer says that it was not. */
export const executeAndRefuse =
  (status: number, code: string): Fault =>
  async (exchange) => {
    await exchange.forward();
    exchange.reply({ status, headers: { 'content-type': 'application/xml' }, body: errorOf(code) });
  };

/** Does something before the call is executed, which is then executed. */
export const first =
  (act: () => Promise<unknown> | unknown): Fault =>
  async (exchange) => {
    await act();
    exchange.reply(await exchange.forward());
  };

const errorOf = (code: string) =>
  Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>of the test</Message></Error>`,
  );

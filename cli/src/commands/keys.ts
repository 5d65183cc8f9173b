import { createHash, randomBytes } from 'node:crypto';
import type { Context } from '../context';
import { UsageError } from '../errors';
import { EXIT, type ExitCode } from '../exit-codes';

const KEY_BYTES = 32;
/** As the gateway's configuration takes them: `*`, `run`, `read@mysql`. */
const GRANT = /^(\*|(run|read|cancel)(@([a-z][a-z0-9-]*|\*))?)$/;

/** `ingesta keys new NAME`: a key, told only here, and the entry with its hash for API_KEYS. Asks no gateway. */
export async function keys({ options, out }: Context, names: readonly string[]): Promise<ExitCode> {
  const [action, name, ...more] = names;
  if (action !== 'new' || name === undefined || more.length > 0)
    throw new UsageError('Say: keys new NAME --grant read');
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) {
    throw new UsageError(`${name}: a key's name is lower-case letters, digits, dots, - and _`);
  }
  const { grants, json } = options;
  if (grants.length === 0) throw new UsageError('Say what the key may: --grant run@mysql --grant read, or --grant "*"');
  for (const grant of grants) {
    if (!GRANT.test(grant)) throw new UsageError(`--grant ${grant}: must be like read, run@mysql, cancel or *`);
  }
  const key = `ing_${randomBytes(KEY_BYTES).toString('base64url')}`;
  const digest = createHash('sha256').update(key).digest('hex');
  const entry = `${name}:${digest}:${grants.join('+')}`;
  if (json) out(JSON.stringify({ name, key, entry }));
  else {
    out(`key, shown only this once:  ${key}`);
    out(`entry for API_KEYS:         ${entry}`);
  }
  return EXIT.OK;
}

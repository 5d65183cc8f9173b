import { createHash, timingSafeEqual } from 'node:crypto';
import { type Grant, type Principal, parseGrant } from './principal';

/** What `ingesta keys new` makes begins with this, so that scanners for leaked secrets find it. */
export const KEY_PREFIX = 'ing_';

/** One key, as the configuration has it. A name may have several: while a key is replaced, both count. */
export interface ApiKey {
  name: string;
  /** SHA-256 of the key. The keys are random, so that nothing slower is needed. */
  digest: Buffer;
  grants: readonly Grant[];
}

/** `name:sha256:grants`, separated by commas or white space; grants are joined by `+`. */
export function parseApiKeys(setting: string, problems: string[]): ApiKey[] {
  return setting
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((entry, i) => {
      const [, name, digest, granted] = /^([a-z0-9][a-z0-9._-]{0,62}):([0-9a-f]{64}):(.+)$/.exec(entry) ?? [];
      const grants = granted?.split('+').map(parseGrant) ?? [];
      if (name === undefined || digest === undefined || granted === undefined || grants.includes(null)) {
        // The entry itself is not shown: somebody may have put the key where its hash belongs.
        problems.push(
          `API_KEYS: entry ${i + 1} must be like nightly:<64 hex digits>:run@mysql+read (npx ingesta keys new)`,
        );
        return [];
      }
      return [{ name, digest: Buffer.from(digest, 'hex'), grants: grants.flatMap((grant) => grant ?? []) }];
    });
}

/** Finds whose a key is. Takes as long for a wrong one as for a right one, whichever it is. */
export class ApiKeys {
  constructor(private readonly keys: readonly ApiKey[]) {}

  find(presented: string): Principal | null {
    const digest = createHash('sha256').update(presented).digest();
    let found: ApiKey | null = null;
    for (const key of this.keys) if (timingSafeEqual(key.digest, digest)) found = key;
    return found && { name: `key:${found.name}`, grants: found.grants };
  }
}

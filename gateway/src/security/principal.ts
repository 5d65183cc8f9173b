import { SOURCE_NAME } from '@ingesta/kit';
import type { Request } from 'express';
import { ApiError } from '../errors';

/** What a principal may do: start runs, stop them, or look. */
export type Verb = 'run' | 'cancel' | 'read';

export const VERBS: readonly Verb[] = ['run', 'cancel', 'read'];

/** One verb on one source, or on all of them (`*`). */
export interface Grant {
  verb: Verb;
  source: string;
}

/** Who asks. */
export interface Principal {
  /** Stable and unique: idempotency keys, limits, records and logs go by it. */
  name: string;
  grants: readonly Grant[];
}

export const EVERYTHING: readonly Grant[] = VERBS.map((verb) => ({ verb, source: '*' }));

/** Who asks where no authentication is set up. */
export const ANYBODY: Principal = { name: 'anybody', grants: EVERYTHING };

/** Who asks for an open route without saying so. */
export const VISITOR: Principal = { name: 'visitor', grants: [] };

/** `*`, `run`, `run@mysql`; null where the text is none of these. */
export function parseGrant(text: string): readonly Grant[] | null {
  if (text === '*') return EVERYTHING;
  const [, verb, source = '*'] = /^([a-z]+)(?:@(.+))?$/.exec(text) ?? [];
  const known = VERBS.find((name) => name === verb);
  if (known === undefined || (source !== '*' && !SOURCE_NAME.test(source))) return null;
  return [{ verb: known, source }];
}

/** Whether `verb` is granted on `source`; on any one source for `null`, on all of them for `*`. */
export function may({ grants }: Principal, verb: Verb, source: string | null): boolean {
  return grants.some(
    (grant) => grant.verb === verb && (source === null || grant.source === '*' || grant.source === source),
  );
}

const PRINCIPAL = 'principal';

export function setPrincipal({ res }: Request, principal: Principal): void {
  res!.locals[PRINCIPAL] = principal;
}

/** Who sent a request. One that passed no authentication is a defect, and is let do nothing. */
export const principalOf = ({ res }: Request): Principal => res?.locals[PRINCIPAL] ?? VISITOR;

/** Gives the principal, or throws `FORBIDDEN`. */
export function allow(request: Request, verb: Verb, source: string | null): Principal {
  const principal = principalOf(request);
  if (may(principal, verb, source)) return principal;
  const where = source === null ? '' : source === '*' ? ' on every source' : ` on ${source}`;
  throw new ApiError('FORBIDDEN', `${principal.name} may not ${verb}${where}`, {
    ...(source === null || source === '*' ? {} : { database: source }),
  });
}

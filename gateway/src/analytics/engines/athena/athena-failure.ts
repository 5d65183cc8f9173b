import { SqlFailure } from '../distributed/sql-failure';

/** What Athena says in words where Trino, which it is made of, has a code. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/exhausted resources/i, 'EXCEEDED_GLOBAL_MEMORY_LIMIT'],
  [/(Table|View) \S+ does not exist/i, 'TABLE_NOT_FOUND'],
  [/Cannot cast /i, 'INVALID_CAST_ARGUMENT'],
  [/Access ?Denied|not authorized|Insufficient permissions/i, 'PERMISSION_DENIED'],
];

/** Why a query failed, from Athena's reason: `TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist`. */
export function athenaFailure(reason: string): SqlFailure {
  const [, code, message] = /^([A-Z][A-Z_]+): ([\s\S]*)$/.exec(reason) ?? [];
  const word = WORDS.find(([pattern]) => pattern.test(reason))?.[1];
  return new SqlFailure('Athena', word ?? code ?? 'FAILED', message ?? reason);
}

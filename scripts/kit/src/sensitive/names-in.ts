/**
 * Every name that could be one in the text of an SQL statement, quoted or not, the words of its literals and comments
 * among them: for a secret rather one too many.
 */
export function namesIn(sql: string): string[] {
  const words = sql.matchAll(/[\p{L}_][\p{L}\p{N}_$]*/gu);
  const quoted = sql.matchAll(/"([^"]+)"|`([^`]+)`/g);
  return [...new Set([...[...words].map(([word]) => word), ...[...quoted].map(([, a, b]) => (a ?? b)!)])];
}

/**
 * Whether it may take columns that it does not name: `*`, `u.*`, `TABLE users`; not `count(*)`, nor a product. What a
 * comment hides counts.
 */
export const takesUnnamed = (sql: string): boolean =>
  /\.\s*\*(?!\/)|(?<!(?:^|[^*])\/)\*\s*(?:,|from\b|--|#|\/\*)|\btable\b/i.test(sql);

/** Whether it puts the rows of several SELECTs together: then servers tell no column's origin. */
export const combinesSelects = (sql: string): boolean => /\b(?:union|intersect|except|minus)\b/i.test(sql);

/**
 * The words of a name in any case style, lower case, without diacritics: `contraseñaHash`, `CONTRASENA_HASH` and
 * `contrasena-hash` are all `['contrasena', 'hash']`.
 */
export function wordsOf(name: string): string[] {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$1 ')
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');
}

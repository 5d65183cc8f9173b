/** Names that paths of the server can hold: no dots, no dollar in front. */
export const isPlainName = (name: string): boolean => name !== '' && !name.includes('.') && !name.startsWith('$');

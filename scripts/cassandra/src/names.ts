/** Quoted always: upper case, spaces and keywords need it, and it never harms. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

import { findProgram } from '../../../services/command';

/** The path of the first of these programs that is there. Throws the reason for the report where none is. */
export function installed(...names: string[]): string {
  const found = findProgram(...names);
  if (!found) throw new Error(`${names.join(' or ')} is not installed`);
  return found;
}

import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';

/** The ids to run a server under; empty: the ones we have. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** Databases refuse to run as root: the account that every Unix has for things that own nothing. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Hands a file or folder over to the account. */
export function giveTo(account: Account, path: string): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}

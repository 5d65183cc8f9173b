import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { copyFile as copyWhole, type FileHandle, link, open, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isTaken } from './file-errors';
import { LakeError, type ObjectInfo } from './lake';
import { makeFolder } from './make-folder';

/** Up to this size the ETag is the content's hash; it covers every record that is changed by compare-and-swap. */
const HASHED_BYTES = 64 * 1024;

/** What a write tells. */
export type Stored = { bytes: number; etag: string };

/** The failure of who came second. */
export const taken = (key: string): LakeError =>
  new LakeError('precondition', `the object ${key} exists or was changed meanwhile`, 'Read it again.');

/** Tells a file from every other one, whatever its name, without reading it. */
export const identityOf = ({ ino, mtimeNs, size }: BigIntStats): string =>
  [ino, mtimeNs, size].map((number) => number.toString(36)).join('-');

/** ETag of the file with these facts; `body` matters for a small one only. */
export const etagOf = (facts: BigIntStats, body: Buffer): string =>
  facts.size > HASHED_BYTES ? identityOf(facts) : createHash('sha256').update(body).digest('hex');

/** The facts of an open object. */
export async function describe(key: string, file: FileHandle): Promise<ObjectInfo> {
  const facts = await file.stat({ bigint: true });
  const body = facts.size > HASHED_BYTES ? Buffer.alloc(0) : await file.readFile();
  return { key, bytes: Number(facts.size), etag: etagOf(facts, body), modified: facts.mtime };
}

/** Brings the file's data to the disk; its size and ETag. */
export async function sync(file: FileHandle): Promise<Stored> {
  await file.sync();
  const facts = await file.stat({ bigint: true });
  const body = Buffer.alloc(Number(facts.size > HASHED_BYTES ? 0n : facts.size));
  await file.read(body, 0, body.length, 0);
  return { bytes: Number(facts.size), etag: etagOf(facts, body) };
}

/** Gives a synced file its name, unless the name is taken. */
export async function publish(temporary: string, path: string, key: string): Promise<void> {
  await makeFolder(dirname(path));
  await link(temporary, path).catch((error) => {
    throw isTaken(error) ? taken(key) : error;
  });
  await syncFolder(dirname(path));
}

/**
 * Copies `from` over `to`, by reference where the file system can. A hard link would do, too, but a program that writes into
 * the copy would then change the snapshot.
 */
export const copyFile = (from: string, to: string): Promise<void> => copyWhole(from, to, constants.COPYFILE_FICLONE);

/** Brings a new name to the disk, too. Some systems cannot sync folders; there the name is as safe as they make it. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Writes what `head` is to tell as the object's metadata. */
export async function writeMetadata(path: string, metadata: Readonly<Record<string, string>>): Promise<void> {
  const lower = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]);
  await writeFile(path, JSON.stringify(Object.fromEntries(lower)));
}

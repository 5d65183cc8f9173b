/** A file as it was found. */
export interface FoundFile {
  /** From the top of what is searched, with slashes. */
  path: string;
  bytes: number;
  /** Another one after any change of the content. */
  version: string;
}

/** Where files are. */
export interface Origin {
  /** For people. */
  readonly url: string;
  /** All files, but none whose name, or a folder's on the way, begins with a dot; no links are followed. */
  list(): AsyncIterable<FoundFile>;
  /** The content. Throws `FileChanged` if it is not the one that was found. A chunk is valid until the next one. */
  read(file: FoundFile, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Whether the file is still the one that was found. */
  isUnchanged(file: FoundFile): Promise<boolean>;
  close(): Promise<void>;
}

/** The file is another one than was found, or gone. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

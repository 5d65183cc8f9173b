/** An object as its script described it. */
export interface ClaimedObject {
  table: string;
  key: string;
  bytes: number;
  sha256: string;
  rows: number;
  /** Names, in their order. */
  columns: string[];
  /** Gzip. */
  compressed: boolean;
}

/** Reads objects back, outside of the gateway's own process. */
export interface Verifier {
  /**
   * Resolves when every object is what its script said. Throws `ApiError` (`SCRIPT_FAILED`) with the first that is not,
   * `LakeError`, or the reason of `signal`; nothing is read any more then.
   */
  readBack(objects: readonly ClaimedObject[], signal: AbortSignal): Promise<void>;
}

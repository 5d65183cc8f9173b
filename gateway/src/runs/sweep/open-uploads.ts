import { isLakeFailure, type Lake } from '@ingesta/kit';

/**
 * Unfinished uploads below a prefix that stands for keys, not folders. None where the lake lets nobody list them: there a lifecycle
 * rule has to remove them. Throws `LakeError` otherwise.
 */
export async function* openUploads(lake: Lake, prefix: string): AsyncGenerator<{ key: string; uploadId: string }> {
  try {
    yield* lake.openUploads(prefix);
  } catch (error) {
    if (!isLakeFailure(error, 'denied')) throw error;
  }
}

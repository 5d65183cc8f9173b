import { within } from '@ingesta/kit';
import { asApiError } from '../as-api-error';
import { ApiError } from '../errors';
import type { Runner, SourceListing } from '../runners/runner';

/** Balancers poll what is told from the list, so a Docker daemon that says nothing holds nobody up for longer. */
const ANSWER_MS = 1_000;
/** For who looks for what is wrong, and while there is nothing older to tell: Podman's list takes seconds on a busy machine. */
export const LISTING_MS = 5_000;

/** The runner's list of sources, for those who would rather have an old one than wait. */
export class KnownSources {
  #last: SourceListing[] | null = null;
  /** One question at a time: a daemon that is frozen is not asked once more by everybody. */
  #asked: Promise<SourceListing[]> | null = null;

  constructor(private readonly runner: Pick<Runner, 'list'>) {}

  /** What the runner says within `patienceMs`, else what it said last, and then why: `CODE: message`. Never rejects. */
  async read(patienceMs = ANSWER_MS): Promise<{ listings: readonly SourceListing[]; problem: string | null }> {
    const limit = this.#last === null ? LISTING_MS : patienceMs;
    try {
      const listings = await within(limit, this.#ask(), () => late(limit));
      return { listings, problem: null };
    } catch (error) {
      const { code, message } = asApiError(error);
      return { listings: this.#last ?? [], problem: `${code}: ${message}` };
    }
  }

  /** An answer that comes too late is still what is known next time. */
  #ask(): Promise<SourceListing[]> {
    this.#asked ??= this.runner
      .list()
      .then((listings) => {
        this.#last = listings;
        return listings;
      })
      .finally(() => {
        this.#asked = null;
      });
    return this.#asked;
  }
}

const late = (limitMs: number) =>
  new ApiError('RUNNER_UNAVAILABLE', `The runner gave no list of sources within ${limitMs / 1000} s`);

import { type Lake, within } from '@ingesta/kit';
import type { Config } from '../config';
import { ApiError } from '../errors';
import type { LaunchableSource, Runner, SourceListing } from '../runners/runner';
import { readCurrent } from '../runs/publication';
import { sourceEnv } from './source-env';

/** A source as `GET /api/ingesta` shows it. */
export interface SourceStatus {
  name: string;
  title: string;
  /** Image, folder of the process runner, or ECS task definition. */
  image: string;
  /** Whether it can be launched now. */
  present: boolean;
  /** What to do where it is not present, else null. */
  hint: string | null;
  /** Variables that are missing, each with its meaning; null while the image is absent and cannot be asked. */
  missing_env: string[] | null;
  /** The last committed run; null if there was none, or the lake is out of reach. */
  last_run: { run_id: string; taken_at: string; age_seconds: number } | null;
}

export interface SourcesServices {
  config: Config;
  runner: Runner;
  lake: () => Promise<Lake>;
  /** What a secret store knows of a source's variables. Rejects with `ApiError`. */
  secrets: (source: LaunchableSource) => Promise<Readonly<Record<string, string>>>;
}

/** The list does not wait longer for a lake, or a store of secrets, that may not answer. */
const ANSWER_MS = 3_000;

const silent = () =>
  new ApiError('SOURCE_UNAVAILABLE', 'The store of secrets gives no answer', {
    hint: 'Ask again; check that Secrets Manager can be reached from here, and AWS_REGION.',
  });

/** Answers what there is to ingest. */
export class SourcesService {
  constructor(
    private readonly services: SourcesServices,
    private readonly now: () => number = Date.now,
  ) {}

  /** For people who mistyped one: empty rather than a second failure. */
  async names(): Promise<string[]> {
    const listings = await this.services.runner.list().catch(() => []);
    return listings.map(({ name }) => name);
  }

  /** Of all sources, or of those that `shown` says. */
  async list(shown: (name: string) => boolean = () => true): Promise<SourceStatus[]> {
    const listings = await this.services.runner.list();
    return Promise.all(listings.filter(({ name }) => shown(name)).map((listing) => this.#status(listing)));
  }

  async #status(listing: SourceListing): Promise<SourceStatus> {
    const { name, title, reference: image, present } = listing;
    const [missing, last] = await Promise.all([present ? this.#missingEnv(name) : null, this.#lastRun(name)]);
    return {
      name,
      title,
      image,
      present,
      hint: listing.present ? null : listing.hint,
      missing_env: missing,
      last_run: last,
    };
  }

  async #missingEnv(name: string): Promise<string[]> {
    const { runner, config, secrets } = this.services;
    const source = await runner.resolve(name);
    try {
      const found = await within(ANSWER_MS, secrets(source), silent);
      return sourceEnv(source, config.env, found).problems;
    } catch (error) {
      // One secret that cannot be read must not hide the other sources.
      if (error instanceof ApiError) return [`${error.message}. ${error.hint}`];
      throw error;
    }
  }

  async #lastRun(name: string): Promise<SourceStatus['last_run']> {
    try {
      const current = await within(
        ANSWER_MS,
        this.services.lake().then((lake) => readCurrent(lake, name)),
        () => new Error('late'),
      );
      if (!current?.manifest) return null;
      const { run_id, taken_at } = current.manifest;
      return { run_id, taken_at, age_seconds: Math.max(0, Math.round((this.now() - Date.parse(taken_at)) / 1000)) };
    } catch {
      return null; // This list must work while the lake is down; /api/ingesta/health says what is wrong with it.
    }
  }
}

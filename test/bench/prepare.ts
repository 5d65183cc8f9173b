import { createPostgresql } from '../e2e/harness/databases';
import { createBucket } from '../e2e/harness/s3';
import { runCommand } from '../services/command';
import { dockerEnv } from '../services/need';
import { PREFIX } from './image-prefix';
import { ROOT } from './root';

const BUILD_MS = 600_000;

/** What is measured: a small table in a real PostgreSQL, a real bucket, real images. */
export interface Subject {
  readonly nodeImage: string;
  /** Settings of a gateway on this machine whose scripts run in containers. */
  readonly settings: Record<string, string>;
  remove(): Promise<void>;
}

export async function prepare(): Promise<Subject> {
  const { nodeImage } = dockerEnv();
  const names = ['gateway', 'postgresql'];
  const args = ['--prefix', PREFIX, '--node-image', nodeImage, ...names];
  await runCommand('bash', [`${ROOT}/build-images.sh`, ...args], { cwd: ROOT, timeoutMs: BUILD_MS });
  const database = await createPostgresql();
  await database.query('CREATE TABLE ten AS SELECT n AS id, md5(n::text) AS code FROM generate_series(1, 10) n');
  const bucket = await createBucket();
  return {
    nodeImage,
    settings: { ...database.settings(true), ...bucket.settings(true), RUNNER: 'docker', IMAGE_PREFIX: PREFIX },
    remove: () => database.drop(),
  };
}

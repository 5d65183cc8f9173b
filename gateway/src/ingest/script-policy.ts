import { encodeName, runKeys } from '@ingesta/kit';
import type { Env } from '../config';
import type { LaunchableSource } from '../runners/runner';
import { sourceEnv } from '../sources/source-env';

/**
 * The session policy of one run: writing below the database's own folder and the run's, listing there, and reading what
 * the source reads from the lake. What the role itself does not allow stays refused.
 */
export function scriptPolicy(env: Env, source: LaunchableSource, runId: string, partition = 'aws'): object {
  const database = source.name;
  const bucket = `arn:${partition}:s3:::${env.AWS_BUCKET_NAME || env.S3_BUCKET}`;
  const root = (env.LAKE_PREFIX ?? '').replace(/^\/+|\/+$/g, '');
  const below = (path: string) => `${root && `${root}/`}${path}`;
  const written = [below(dataFolder(env.KEY_TEMPLATE, database)), below(runKeys(database, runId).folder)];
  // Of sources whose files lie in the lake, e.g. FILES_LAKE_PREFIX.
  const { values } = sourceEnv(source, env);
  const folders = Object.entries(values).flatMap(([name, value]) =>
    name.endsWith('_LAKE_PREFIX') && value ? [value] : [],
  );
  const read = [...written, ...folders.map((folder) => below(`${folder.replace(/^\/+|\/+$/g, '')}/`))];
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
        Resource: written.map((path) => `${bucket}/${path}*`),
      },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: read.map((path) => `${bucket}/${path}*`) },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: bucket,
        Condition: { StringLike: { 's3:prefix': read.map((path) => `${path}*`) } },
      },
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com*' } },
      },
    ],
  };
}

/** What all keys of a database begin with: the template up to its first placeholder besides `{db}`. */
function dataFolder(template: string | undefined, database: string): string {
  const [literal = ''] = (template || '{db}/{table}').replaceAll('{db}', encodeName(database)).split('{');
  return literal;
}

import { readSetting } from '../run/resolve-env';

type Env = Readonly<Record<string, string | undefined>>;

/** The key pair that the environment holds itself. */
export interface AwsKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The keys of the environment, each also as `<NAME>_FILE`; undefined where the AWS SDK has to find some. */
export function awsKeys(env: Env): AwsKeys | undefined {
  const accessKeyId = readSetting(env, 'AWS_ACCESS_KEY_ID').value;
  const secretAccessKey = readSetting(env, 'AWS_SECRET_ACCESS_KEY').value;
  const sessionToken = readSetting(env, 'AWS_SESSION_TOKEN').value;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** What is wrong with these settings, one sentence each. */
export function awsKeyProblems(env: Env): string[] {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
  const [id, secret, token] = names.map((name) => readSetting(env, name));
  const unreadable = [id, secret, token].flatMap((found) => found?.problem ?? []);
  if (unreadable.length > 0 || !id?.value === !secret?.value) return unreadable;
  return ['AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together'];
}

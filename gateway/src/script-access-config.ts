import type { SettingReaders } from './config';

/** With whose credentials scripts work, and where their sources' secrets are. */
export interface ScriptAccessConfig {
  /** `handed`: the gateway's, with the job. `own`: what the script finds itself, again whenever they rotate. */
  readonly scriptCredentials: 'handed' | 'own';
  /** Folder of the Docker host that script containers get as `~/.aws`, read-only; null for none. */
  readonly scriptAwsDir: string | null;
  /** A role that the gateway assumes for each run, narrowed to it; null for none. */
  readonly scriptRole: { readonly arn: string; readonly seconds: number } | null;
  /** Before a source's name, the name of its secret in AWS Secrets Manager; null where that is not asked. */
  readonly secretsPrefix: string | null;
}

const ROLE = /^(arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+)?$/;

/** Parses these settings; what is wrong with them is added to `problems`. */
export function parseScriptAccess(readers: SettingReaders, problems: string[]): ScriptAccessConfig {
  const { text, choice, int, matching } = readers;
  const scriptCredentials = choice('SCRIPT_CREDENTIALS', 'handed', ['handed', 'own']);
  const scriptAwsDir = matching('SCRIPT_AWS_DIR', '', /^(\/.+)?$/, 'an absolute path on the Docker host') || null;
  const arn = matching('SCRIPT_ROLE_ARN', '', ROLE, 'like arn:aws:iam::111122223333:role/ingesta-script');
  const seconds = int('SCRIPT_ROLE_SECONDS', 3600, 900, 43_200);
  const asked = choice('USE_SECRETS_MANAGER', 'false', ['true', 'false']) === 'true';
  const prefix = text('SECRETS_PREFIX', 'ingesta/');
  if (scriptAwsDir !== null && scriptCredentials !== 'own')
    problems.push('SCRIPT_AWS_DIR is mounted where SCRIPT_CREDENTIALS=own only');
  if (arn && scriptCredentials === 'own')
    problems.push('SCRIPT_ROLE_ARN and SCRIPT_CREDENTIALS=own contradict each other: scripts get that role handed');
  return {
    scriptCredentials,
    scriptAwsDir,
    scriptRole: arn ? { arn, seconds } : null,
    secretsPrefix: asked ? prefix : null,
  };
}

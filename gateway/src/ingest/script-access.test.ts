import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenConfig, givenSource } from '../testing/given';
import { credentialsFor } from './script-access';
import { scriptPolicy } from './script-policy';

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };
const find = (env: Record<string, string>) => credentialsFor(givenConfig(env))(givenSource(), RUN);

describe('the credentials of a launch', () => {
  it('are the environment’s, also from files', async () => {
    expect(await find(KEYS)).toEqual(KEYS);
    const folder = await mkdtemp(join(tmpdir(), 'ingesta-keys-'));
    await writeFile(join(folder, 'secret'), 'from a file\n');
    const { AWS_SECRET_ACCESS_KEY: _, ...id } = KEYS;
    const found = await find({ ...id, AWS_SECRET_ACCESS_KEY_FILE: join(folder, 'secret') });
    await rm(folder, { recursive: true });
    expect(found).toEqual({ ...id, AWS_SECRET_ACCESS_KEY: 'from a file' });
  });

  it('are those of the launch before where nobody gives any at the moment', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingesta-keys-'));
    const file = join(folder, 'credentials');
    const before = process.env;
    const own = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: file, AWS_EC2_METADATA_DISABLED: 'true' };
    process.env = { PATH: before.PATH, ...own };
    try {
      const credentials = credentialsFor(givenConfig({}));
      await expect(credentials(givenSource(), RUN)).rejects.toMatchObject({ kind: 'denied' });
      await writeFile(file, '[default]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n');
      expect(await credentials(givenSource(), RUN)).toEqual(KEYS);
      await rm(file);
      expect(await credentials(givenSource(), RUN)).toEqual(KEYS);
    } finally {
      process.env = before;
      await rm(folder, { recursive: true });
    }
  });

  it.each<Record<string, string>>([
    { SCRIPT_CREDENTIALS: 'own' },
    { RUNNER: 'ecs', ECS_SUBNETS: 'subnet-1' },
    { AWS_BUCKET_NAME: '', LAKE_URL: 'file:///l' },
  ])('are none with %j', async (env) => expect(await find({ ...KEYS, ...env })).toEqual({}));

  it('of a role say that STS cannot be reached', async () => {
    const role = { SCRIPT_ROLE_ARN: 'arn:aws:iam::111122223333:role/script' };
    const found = find({ ...KEYS, ...role, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' });
    await expect(found).rejects.toMatchObject({ code: 'LAKE_UNAVAILABLE' });
  });

  it.each([
    ['ExpiredTokenException', 'The security token included in the request is expired', 'Renew the session token'],
    ['AccessDenied', 'not authorized to perform: sts:AssumeRole', 'sts:AssumeRole'],
    ['ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit', 'SCRIPT_ROLE_SECONDS'],
  ])('of a role that STS refuses with %s say why', async (code, message, hint) => {
    const server = createServer((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(`<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const AWS_ENDPOINT_URL_STS = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const role = { SCRIPT_ROLE_ARN: 'arn:aws:iam::111122223333:role/script' };
    const found = find({ ...KEYS, ...role, AWS_ENDPOINT_URL_STS });
    await expect(found).rejects.toMatchObject({ code: 'LAKE_DENIED', hint: expect.stringContaining(hint) });
    server.close();
  });
});

describe('the policy of a run', () => {
  const policyOf = (env: Record<string, string>, source = givenSource()) =>
    JSON.stringify(scriptPolicy(givenConfig(env).env, source, RUN, 'aws-cn'));

  it('follows KEY_TEMPLATE as far as it is the database’s own', () => {
    expect(policyOf({ KEY_TEMPLATE: 'raw/{db}/{table}/{timestamp}.csv' })).toContain(
      '"arn:aws-cn:s3:::bucket/raw/mysql/*"',
    );
    expect(policyOf({ KEY_TEMPLATE: 'raw/{table}/{db}_{timestamp}.csv' })).toContain('"arn:aws-cn:s3:::bucket/raw/*"');
  });

  it('lets a source read the folder of the lake that it exports, and write nothing there', () => {
    const variable = {
      name: 'MYSQL_LAKE_PREFIX',
      description: '',
      aliases: [],
      required: false,
      secret: false,
      host: false,
    };
    const description = { ...givenSource().description, env: [variable] };
    const policy = scriptPolicy(givenConfig({ MYSQL_LAKE_PREFIX: '/entregas' }).env, givenSource({ description }), RUN);
    const [write, read] = (policy as { Statement: { Resource: string[] }[] }).Statement;
    expect(read!.Resource).toContain('arn:aws:s3:::bucket/entregas/*');
    expect(write!.Resource).not.toContain('arn:aws:s3:::bucket/entregas/*');
  });

  it('stays within what STS takes', () => {
    expect(policyOf({ LAKE_PREFIX: 'p'.repeat(150) }).length).toBeLessThan(2048);
  });
});

import { randomUUID } from 'node:crypto';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describeWith, motoEndpoint } from '../../../test/services/need';
import { awsSettings } from '../aws-settings';
import { givenConfig, givenSource } from '../testing/given';
import { secretsOf } from './index';

const AWS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

describeWith(['moto'], 'secrets in AWS Secrets Manager', () => {
  const prefix = `test-${randomUUID()}/`;
  let client: SecretsManagerClient;
  const envOf = () => ({
    ...AWS,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: motoEndpoint(),
    USE_SECRETS_MANAGER: 'true',
    SECRETS_PREFIX: prefix,
  });
  const find = (source = givenSource(), more: Record<string, string> = {}) =>
    secretsOf(givenConfig({ ...envOf(), ...more }))(source);
  const create = (Name: string, secret: unknown) =>
    client.send(
      new CreateSecretCommand({ Name, SecretString: typeof secret === 'string' ? secret : JSON.stringify(secret) }),
    );

  beforeAll(() => {
    client = new SecretsManagerClient(awsSettings(envOf(), 'SECRETS_MANAGER'));
  });

  it('are none where the source has none', async () => expect(await find()).toEqual({}));

  it('are read as RDS writes them, and anew after each rotation', async () => {
    const rds = {
      engine: 'mysql',
      host: 'rds.example',
      username: 'reader',
      password: 'one',
      dbInstanceIdentifier: 'db-1',
    };
    await create(`${prefix}mysql`, rds);
    const look = secretsOf(givenConfig(envOf()));
    const found = { MYSQL_HOST: 'rds.example', MYSQL_USER: 'reader', MYSQL_PASSWORD: 'one' };
    expect(await look(givenSource())).toEqual(found);
    const rotated = JSON.stringify({ ...rds, password: 'two' });
    await client.send(new PutSecretValueCommand({ SecretId: `${prefix}mysql`, SecretString: rotated }));
    expect(await look(givenSource())).toEqual({ ...found, MYSQL_PASSWORD: 'two' });
  });

  it('are found under another name, with the names of the variables, for a named connection', async () => {
    const id = `other-${randomUUID()}`;
    await create(id, { MYSQL_USER: 'ventas', MYSQL_PASSWORD: 'p', POSTGRES_PASSWORD: 'of another', PATH: '/bin' });
    const ventas = givenSource({ name: 'ventas', envPrefix: 'VENTAS_' });
    expect(await find(ventas, { VENTAS_MYSQL_SECRET_ID: id })).toEqual({ MYSQL_USER: 'ventas', MYSQL_PASSWORD: 'p' });
  });

  it('must be there where they are named', async () => {
    await expect(find(givenSource(), { MYSQL_SECRET_ID: 'absent' })).rejects.toMatchObject({
      code: 'SOURCE_CONFIG',
      message: 'There is no secret absent',
      hint: 'Correct MYSQL_SECRET_ID.',
    });
  });

  it.each(['canary: not JSON', '["canary"]', '"canary"'])(
    'must be a JSON object, and are not told: %s',
    async (text) => {
      const id = `odd-${randomUUID()}`;
      await create(id, text);
      const failure = await find(givenSource(), { MYSQL_SECRET_ID: id }).catch((error) => error);
      expect(failure).toMatchObject({ code: 'SOURCE_CONFIG', message: `Secret ${id} holds no JSON object` });
      expect(`${failure.message} ${failure.hint} ${failure.cause}`).not.toContain('canary');
    },
  );
});

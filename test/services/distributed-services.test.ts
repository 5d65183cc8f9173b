import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { describeWith, motoEndpoint, trinoUrl } from './need';

describeWith(['moto'], "a stand-in for AWS's APIs", () => {
  it('has an empty Glue catalog', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new GlueClient({ endpoint: motoEndpoint(), credentials, region: 'eu-west-3' });
    expect((await client.send(new GetDatabasesCommand({}))).DatabaseList).toEqual([]);
    client.destroy();
  });
});

describeWith(['moto', 's3', 'trino'], 'a Trino server', () => {
  it('tells its version', async () => {
    const info = (await (await fetch(`${trinoUrl()}/v1/info`)).json()) as object;
    expect(info).toMatchObject({ nodeVersion: { version: '483' }, coordinator: true });
  });
});

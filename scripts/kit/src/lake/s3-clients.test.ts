import { s3Clients } from './s3-clients';

it('gives both clients the same credentials at any time, looked up once', async () => {
  let times = 0;
  const credentials = async () => {
    times += 1;
    return { accessKeyId: `ASIA${times}`, secretAccessKey: 's', expiration: new Date(Date.now() + 3_600_000) };
  };
  const clients = s3Clients({ bucket: 'b', prefix: '', region: 'us-east-1', credentials });
  const found = await Promise.all(clients.map(({ config }) => config.credentials()));
  expect(found.map(({ accessKeyId }) => accessKeyId)).toEqual(['ASIA1', 'ASIA1']);
  for (const client of clients) client.destroy();
});

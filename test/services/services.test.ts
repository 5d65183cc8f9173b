import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as os from 'node:os';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { auth, Client as CassandraClient } from 'cassandra-driver';
import { MongoClient } from 'mongodb';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { cassandraEnv, describeWith, dockerEnv, mongoEnv, mysqlEnv, pgEnv, s3Env } from './need';

/** Reaches a TCP port of this machine from inside a container. */
function connectFromContainer(url: string): string {
  const { hostname, port } = new URL(url);
  const script = `require('net').connect(${port}, '${hostname}', () => { console.log('reached'); process.exit(0); })`;
  const args = ['run', '--rm', '--add-host', 'host.docker.internal:host-gateway', dockerEnv().nodeImage];
  return execFileSync('docker', [...args, 'node', '-e', script], { encoding: 'utf8' }).trim();
}

describeWith(['postgresql'], 'a PostgreSQL server', () => {
  it('answers a query, and logs it', async () => {
    const { host, port, user, password, log } = pgEnv();
    const client = new Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
    const mark = randomUUID();
    const answer = await client.query(`SELECT '${mark}' AS mark`);
    await client.end();
    expect(answer.rows).toEqual([{ mark }]);
    if (log) expect(readFileSync(log, 'utf8')).toContain(mark);
  });

  it('refuses a wrong password', async () => {
    const { host, port, user } = pgEnv();
    const client = new Client({ host, port, user, password: 'wrong', database: 'postgres' });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });
});

describeWith(['mysql'], 'a MySQL server', () => {
  it('answers a query, and logs it', async () => {
    const { host, port, user, password, log } = mysqlEnv();
    const connection = await createConnection({ host, port, user, password });
    const mark = randomUUID();
    const [rows] = await connection.query(`SELECT '${mark}' AS mark, @@local_infile AS local_infile`);
    await connection.end();
    expect(rows).toEqual([{ mark, local_infile: 1 }]);
    if (log) expect(readFileSync(log, 'utf8')).toContain(mark);
  });

  it('refuses a wrong password', async () => {
    const { host, port, user } = mysqlEnv();
    await expect(createConnection({ host, port, user, password: 'wrong' })).rejects.toMatchObject({ errno: 1045 });
  });
});

describeWith(['mongodb'], 'a MongoDB server', () => {
  const connect = (password: string) => {
    const { host, port, user } = mongoEnv();
    return new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
      auth: { username: user, password },
      serverSelectionTimeoutMS: 5_000,
      runtimeAdapters: { os },
    });
  };

  it('is a replica set whose primary takes writes', async () => {
    const client = connect(mongoEnv().password);
    const hello = await client.db('admin').command({ hello: 1 });
    await client.close();
    expect(hello).toMatchObject({ setName: expect.any(String), isWritablePrimary: true });
  });

  it('refuses a wrong password', async () => {
    await expect(connect('wrong').connect()).rejects.toMatchObject({ code: 18 });
  });
});

describeWith(['cassandra'], 'a Cassandra node', () => {
  const connect = (password: string) => {
    const { host, port, user } = cassandraEnv();
    return new CassandraClient({
      contactPoints: [host],
      protocolOptions: { port },
      localDataCenter: 'datacenter1',
      authProvider: new auth.PlainTextAuthProvider(user, password),
    });
  };

  it('answers a query', async () => {
    const client = connect(cassandraEnv().password);
    expect((await client.execute('SELECT release_version FROM system.local')).rows).toHaveLength(1);
    await client.shutdown();
  });

  it('refuses a wrong password', async () => {
    await expect(connect('wrong').connect()).rejects.toThrow();
  });
});

describeWith(['s3'], 'an S3 server', () => {
  it('lets only the first of two conditional writers create an object', async () => {
    const { endpoint, accessKey, secretKey } = s3Env();
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    const Bucket = `services-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = (Body: string) => client.send(new PutObjectCommand({ Bucket, Key: 'lock', Body, IfNoneMatch: '*' }));
    await put('first');
    await expect(put('second')).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    client.destroy();
  });
});

describeWith(['docker'], 'a Docker engine', () => {
  it('runs Node and a shell in a container of the base image', () => {
    const run = (...command: string[]) =>
      execFileSync('docker', ['run', '--rm', dockerEnv().nodeImage, ...command], { encoding: 'utf8' }).trim();
    expect(run('node', '--version')).toMatch(/^v2\d\./);
    expect(run('bash', '-c', 'perl -e "print 6*7"')).toBe('42');
  });
});

describeWith(['docker', 'postgresql', 'mysql', 's3'], 'from inside a container', () => {
  it.each([
    ['PostgreSQL', () => `tcp://${pgEnv().dockerHost}:${pgEnv().port}`],
    ['MySQL', () => `tcp://${mysqlEnv().dockerHost}:${mysqlEnv().port}`],
    ['S3', () => s3Env().dockerEndpoint],
  ])('%s is reached', (_name, url) => {
    expect(connectFromContainer(url())).toBe('reached');
  });
});

import { describeWith, motoEndpoint } from '../../../test/services/need';
import { type Recorded, recordingProxy } from '../../../test/services/recording-proxy';
import { givenConfig, givenSource } from '../testing/given';
import { credentialsFor } from './script-access';

const RUN = '01890a5d-ac96-774b-bcce-b302099a8057';
const ROLE = 'arn:aws:iam::111122223333:role/ingesta-script';

describeWith(['moto'], 'credentials of a role, narrowed to the run', () => {
  let sent: Recorded[];
  let url: string;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ sent, url, close } = await recordingProxy(motoEndpoint()));
  });
  afterAll(() => close());

  const find = (more: Record<string, string> = {}) =>
    credentialsFor(
      givenConfig({
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_STS: url,
        SCRIPT_ROLE_ARN: ROLE,
        ...more,
      }),
    )(givenSource(), RUN);

  it('are handed in place of the gateway’s own', async () => {
    const found = await find({ SCRIPT_ROLE_SECONDS: '900', LAKE_PREFIX: '/team-a/' });
    expect(found).toEqual({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/./),
      AWS_SESSION_TOKEN: expect.stringMatching(/./),
    });
    const request = new URLSearchParams(sent.at(-1)!.body);
    expect(Object.fromEntries(request)).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: ROLE,
      RoleSessionName: `mysql-${RUN}`,
      DurationSeconds: '900',
    });
    const folders = ['team-a/mysql/*', `team-a/_ingesta/runs/mysql/${RUN}/*`];
    const objects = folders.map((folder) => `arn:aws:s3:::bucket/${folder}`);
    expect(JSON.parse(request.get('Policy')!).Statement).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
        Resource: objects,
      },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: objects },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::bucket',
        Condition: { StringLike: { 's3:prefix': folders } },
      },
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com*' } },
      },
    ]);
  });
});

import { FakeRunner } from '../testing/fake-runner';
import { givenConfig, givenLake } from '../testing/given';
import { SourcesService } from './sources-service';

it('lists the sources also where nobody tells their secrets', async () => {
  const { lake, env, remove } = await givenLake();
  const secrets = () => new Promise<never>(() => undefined);
  const sources = new SourcesService({
    config: givenConfig(env),
    runner: new FakeRunner(),
    lake: async () => lake,
    secrets,
  });
  const [mysql, other] = await sources.list();
  expect(mysql).toMatchObject({
    name: 'mysql',
    missing_env: [expect.stringContaining('The store of secrets gives no answer')],
  });
  expect(other).toMatchObject({ name: 'x', missing_env: null });
  await remove();
});

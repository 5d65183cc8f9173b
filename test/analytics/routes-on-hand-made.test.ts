import request from 'supertest';
import { HAND_MADE_ANSWERS } from './hand-made-answers';
import { handMadeLake } from './hand-made-lakes';
import { analyticsApp } from './sample-app';

const LAKES = ['empty', 'awkward', 'extreme'] as const;

describe.each(LAKES.flatMap((name) => (['typed', 'text'] as const).map((typing) => [name, typing] as const)))(
  'routes over %s tables that come %s',
  (name, typing) => {
    it('answer what one works out by hand', async () => {
      const lake = await handMadeLake(name, typing);
      const analytics = await analyticsApp(lake);
      try {
        const found: Record<string, unknown> = {};
        for (const path of Object.keys(HAND_MADE_ANSWERS[name]))
          found[path] = (await request(analytics.app).get(path)).body;
        expect(found).toEqual(HAND_MADE_ANSWERS[name]);
      } finally {
        await analytics.close();
        await lake.remove();
      }
    });
  },
);

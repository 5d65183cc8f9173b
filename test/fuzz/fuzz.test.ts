import { join } from 'node:path';
import openApi from '../../gateway/generated/openapi.json';
import { describeWith, schemathesisProgram } from '../services/need';
import { fuzz } from './fuzz';

const ROOT = join(__dirname, '../..');

describeWith(['schemathesis'], 'requests made from the OpenAPI document', () => {
  it('get only answers that it documents, and none that is a defect of ours', async () => {
    const { output, failed, cases, routes } = await fuzz({
      root: ROOT,
      program: schemathesisProgram(),
      perRoute: 15,
      seed: 7,
    });
    expect(failed ? output : '').toBe('');
    // The routes of the packs come on top.
    expect(routes).toBeGreaterThan(Object.values(openApi.paths).flatMap((path) => Object.keys(path)).length);
    expect(cases).toBeGreaterThan(300);
  }, 600_000);
});

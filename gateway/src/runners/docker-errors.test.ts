import { ApiError } from '../errors';
import { engineError } from './docker-errors';

describe('engineError', () => {
  it.each([
    [{ code: 'EACCES' }, 'DOCKER_GID'],
    [{ code: 'ENOENT' }, 'DOCKER_HOST'],
    [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }, 'Docker daemon'],
    [{ statusCode: 500, json: { message: 'network data not found' } }, 'DOCKER_NETWORK'],
  ])('says of %j what to do', (error, hint) => {
    const told = engineError(error);
    expect(told).toMatchObject({ code: 'RUNNER_UNAVAILABLE', cause: error });
    expect(told.hint).toContain(hint);
  });

  it('leaves what is already told', () => {
    const told = new ApiError('IMAGE_NOT_FOUND', 'x');
    expect(engineError(told)).toBe(told);
  });
});

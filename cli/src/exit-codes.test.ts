import { ERRORS } from '../../gateway/src/errors';
import { EXIT, exitCodeOf } from './exit-codes';

/** What nothing the caller does can mend, and what this client never asks for. */
const BROKEN = ['SCRIPT_FAILED', 'INTERNAL', 'RESULT_TOO_LARGE', 'DATA_NOT_AVAILABLE', 'QUERY_TIMEOUT'];

it('knows every error code of the gateway', () => {
  const unknown = Object.keys(ERRORS).filter((code) => exitCodeOf(code) === EXIT.INTERNAL);
  expect(unknown.sort()).toEqual(BROKEN.sort());
});

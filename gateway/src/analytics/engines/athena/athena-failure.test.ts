import { athenaFailure } from './athena-failure';

it.each([
  ["INVALID_CAST_ARGUMENT: Cannot cast 'sesenta' to BIGINT", 'misfit', 'DATA'],
  ["TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.x' does not exist", 'no-table', 'INTERNAL'],
  ['SYNTAX_ERROR: line 1:15: Table awsdatacatalog.db.x does not exist', 'no-table', 'INTERNAL'],
  ["SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", 'refused', 'INTERNAL'],
  ['Query exhausted resources at this scale factor', 'memory', 'RESULT_TOO_LARGE'],
  ['PERMISSION_DENIED: Access Denied on x', 'denied', 'LAKE_DENIED'],
  ['HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://…', 'data', 'LAKE_UNAVAILABLE'],
  ['', 'refused', 'INTERNAL'],
])('takes %j for %s', (reason, kind, code) => {
  const failure = athenaFailure(reason);
  expect(failure.kind).toBe(kind);
  if (kind !== 'misfit') expect(failure.told()).toMatchObject({ code, cause: failure });
  // Words of the server may hold values of rows.
  expect(failure.told().message).not.toContain('sesenta');
});

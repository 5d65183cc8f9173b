import { ApiError } from '../errors';
import type { SqlValue } from './engines/engine';
import { expected, type Parameter, readValue } from './packs/parameter';

/** The values of a route's parameters, from a query string. Throws `INVALID_REQUEST` naming every one that is wrong. */
export function requestParameters(
  parameters: readonly Parameter[],
  query: URLSearchParams,
): ReadonlyMap<string, SqlValue> {
  const problems: string[] = [];
  const known = parameters.map(({ name }) => name);
  for (const name of new Set(query.keys())) {
    const there = known.length > 0 ? `there are ${known.join(', ')}` : 'this route takes none';
    if (!known.includes(name)) problems.push(`unknown parameter ${JSON.stringify(name)}; ${there}`);
  }
  const values = new Map<string, SqlValue>();
  for (const parameter of parameters) {
    const { name, fallback } = parameter;
    const [given, ...more] = query.getAll(name);
    if (more.length > 0) problems.push(`${name} is given ${more.length + 1} times`);
    else if (given !== undefined) read(parameter, given, values, problems);
    else if (fallback === null) problems.push(`${name} is missing: it must be ${expected(parameter)}`);
    else values.set(name, fallback);
  }
  if (problems.length > 0) throw new ApiError('INVALID_REQUEST', `The request is not valid: ${problems.join('; ')}`);
  return values;
}

function read(parameter: Parameter, given: string, values: Map<string, SqlValue>, problems: string[]): void {
  try {
    values.set(parameter.name, readValue(parameter, given));
  } catch (error) {
    problems.push((error as Error).message);
  }
}

import { configError, type Dataset } from '@ingesta/kit';
import { BSON, type Document } from 'mongodb';
import { type DeclaredColumns, declaredColumns } from './declared-columns';
import { isObject, pipelineProblems } from './pipeline-check';

/** `{"collection":"recetas","pipeline":[…],"columns":{…}}`, checked as far as its text can be; columns are optional. */
export interface ParsedDataset {
  collection: string;
  pipeline: Document[];
  columns: DeclaredColumns | null;
}

const KEYS = ['collection', 'pipeline', 'columns'];

/** Reads a dataset, Extended JSON. Throws one `configError` with everything that is wrong with it. */
export function parseDataset({ name, text }: Dataset): ParsedDataset {
  const what = `Dataset ${name}`;
  let value: unknown;
  try {
    // Not relaxed: every number keeps its type.
    value = BSON.EJSON.parse(text, { relaxed: false });
  } catch (error) {
    throw refusedDataset(name, `it is no Extended JSON: ${(error as Error).message}`);
  }
  if (!isObject(value) || typeof value.collection !== 'string' || value.collection === '') {
    throw refusedDataset(name, 'it is no {"collection":"…","pipeline":[…]}');
  }
  const problems = Object.keys(value)
    .filter((key) => !KEYS.includes(key))
    .map((key) => `${JSON.stringify(key)} means nothing here`);
  problems.push(...pipelineProblems(value.pipeline));
  const columns = value.columns === undefined ? null : declaredColumns(value.columns, what, problems);
  if (problems.length > 0) throw refusedDataset(name, problems.join('; '));
  return { collection: value.collection, pipeline: value.pipeline as Document[], columns };
}

/** What is wrong with a dataset, for whoever wrote it. */
export const refusedDataset = (name: string, problem: string) =>
  configError(
    `The dataset ${name} is refused: ${problem}`,
    `Correct datasets/<source>/${name}.json: {"collection":"…","pipeline":[…]} with stages that only read.`,
  );

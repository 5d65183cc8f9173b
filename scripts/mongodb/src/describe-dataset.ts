import type { Dataset } from '@ingesta/kit';
import { MongoServerError } from 'mongodb';
import { parseDataset, refusedDataset } from './dataset';
import { columnsFound } from './describe-relation';
import { firstPass, type Pass } from './first-pass';
import type { Collection } from './list-collections';
import { originsOf } from './pipeline-references';
import { reachOf } from './reach';
import type { Relation } from './relation';
import { isLoss, isUnauthorized } from './server-error';

/**
 * Checks a dataset: its text here, its pipeline by the server, which explains it without running it. Where no columns
 * are declared they are those of its output. Throws `configError` for what the dataset's author can correct.
 */
export async function describeDataset(
  dataset: Dataset,
  collections: ReadonlyMap<string, Collection>,
  passOver: (collection: Collection) => Pass,
): Promise<Relation> {
  const { collection: name, pipeline, columns: declared } = parseDataset(dataset);
  const collection = collections.get(name);
  if (!collection) throw refusedDataset(dataset.name, `there is no collection ${name}`);
  const pass = passOver(collection);
  try {
    const explain = { aggregate: name, pipeline, cursor: {} };
    await pass.db.command({ explain, verbosity: 'queryPlanner' }, { session: pass.session });
  } catch (error) {
    if (!(error instanceof MongoServerError) || isLoss(error) || isUnauthorized(error)) throw error;
    throw refusedDataset(dataset.name, `MongoDB says: ${error.message}`);
  }
  const { columns, nested } = declared ?? columnsFound(await firstPass(pass, pipeline));
  const reach = reachOf(collection, pipeline, collections);
  const origins = originsOf(columns, collection.over, reach.references);
  return {
    table: { name: dataset.name, columns, origins, unfollowed: reach.names, estimatedRows: null },
    collection,
    pipeline,
    nested,
    isDeclared: declared !== null,
    reach,
  };
}

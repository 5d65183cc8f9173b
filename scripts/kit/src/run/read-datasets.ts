import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type Dataset, datasetSchema } from '../contract/job';
import { configError } from '../errors';

/** Files that hold a query. */
const ENDINGS = new Set(['.sql', '.cql', '.json']);
/** A query is written by hand; all of a job's settings must fit into 1 MiB. */
const MAX_BYTES = 256 * 1024;

/**
 * The datasets of one database: the files of `<folder>/<database>/`, by name. None where there is no such folder. Throws
 * `configError` for a file that cannot be one.
 */
export async function readDatasets(folder: string, database: string): Promise<Dataset[]> {
  const home = join(folder, database);
  const names = await readdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw configError(`The datasets in ${home} cannot be read (${error.code})`, 'Let our user read the folder.');
  });
  const datasets = new Map<string, Dataset>();
  for (const file of names.sort()) {
    if (!ENDINGS.has(extname(file))) continue;
    const dataset = await readDataset(home, file);
    if (datasets.has(dataset.name)) {
      throw configError(`Two files in ${home} are called ${dataset.name}`, 'One name is one dataset: rename one file.');
    }
    datasets.set(dataset.name, dataset);
  }
  return [...datasets.values()];
}

async function readDataset(home: string, file: string): Promise<Dataset> {
  const path = join(home, file);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw configError(`The dataset ${path} cannot be read (${error.code})`, 'Let our user read the file.');
  });
  if (text.length > MAX_BYTES) throw configError(`The dataset ${path} is over 256 KiB`, 'A dataset is one query.');
  const parsed = datasetSchema.safeParse({ name: file.slice(0, -extname(file).length), text });
  if (parsed.success) return parsed.data;
  throw configError(
    `${path} is no name for a dataset`,
    'Use letters, digits and _ . - (its name becomes the name of the table).',
  );
}

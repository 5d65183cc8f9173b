import type { Document } from 'mongodb';

/** Stages that read, give the same answer each time, and stay in the database. */
const STAGES = new Set([
  ...['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$redact', '$unwind'],
  ...['$group', '$bucket', '$bucketAuto', '$sortByCount', '$count', '$facet', '$sort', '$limit', '$skip'],
  ...['$lookup', '$graphLookup', '$unionWith', '$setWindowFields', '$densify', '$fill', '$geoNear'],
]);

/** Why an operator has no place even in a view: names of fields may become values, where no rule for names finds them. */
const HIDING = new Map([
  ['$function', 'runs JavaScript on the server'],
  ['$accumulator', 'runs JavaScript on the server'],
  ['$objectToArray', 'would hide the names of sensitive fields'],
]);
/** Why an operator has no place in a dataset. */
const REFUSED = new Map([
  ...HIDING,
  ['$where', 'runs JavaScript on the server'],
  ['$rand', 'gives another answer each time'],
  ['$sampleRate', 'gives another answer each time'],
]);

/** Everything in the pipeline that may not be there; empty where it only reads. Nothing of it is run. */
export function pipelineProblems(pipeline: unknown): string[] {
  if (!Array.isArray(pipeline)) return ['a pipeline is no list of stages'];
  return pipeline.flatMap((stage) => {
    const [name, ...more] = isObject(stage) ? Object.keys(stage) : [];
    if (name === undefined || more.length > 0) return ['a stage is no object with one key'];
    if (!STAGES.has(name)) return [`${name} is no stage that a dataset may have`];
    return [...innerPipelines(name, stage[name]), ...operatorProblems(stage[name])];
  });
}

/** The pipelines inside of a stage, and the collections that it names. */
function innerPipelines(stage: string, body: unknown): string[] {
  if (stage === '$facet') return isObject(body) ? Object.values(body).flatMap(pipelineProblems) : [];
  if (!['$lookup', '$graphLookup', '$unionWith'].includes(stage)) return [];
  const options = typeof body === 'string' ? { coll: body } : body;
  if (!isObject(options)) return [`${stage} is no object`];
  const from = stage === '$unionWith' ? options.coll : options.from;
  const foreign = from !== undefined && (typeof from !== 'string' || from.startsWith('system.'));
  return [
    ...(foreign ? [`${stage} reads what is no collection of this database`] : []),
    ...(options.pipeline === undefined ? [] : pipelineProblems(options.pipeline)),
  ];
}

/** Everything in the pipeline of a view that the rules for names could not look through. */
export const hidingProblems = (pipeline: readonly Document[]): string[] => operatorProblems(pipeline, HIDING);

function operatorProblems(value: unknown, refused: ReadonlyMap<string, string> = REFUSED): string[] {
  if (Array.isArray(value)) return value.flatMap((inside) => operatorProblems(inside, refused));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inside]) => {
    const why = refused.get(key);
    return why ? [`${key} ${why}`] : operatorProblems(inside, refused);
  });
}

/** A document of the pipeline; values such as dates are none. */
export const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

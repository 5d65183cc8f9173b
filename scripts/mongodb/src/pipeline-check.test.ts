import { parseDataset } from './dataset';
import { pipelineProblems } from './pipeline-check';
import { referencesOf } from './pipeline-references';

describe('a dataset, before any server sees it', () => {
  const parse = (value: unknown) =>
    parseDataset({ name: 'd', text: typeof value === 'string' ? value : JSON.stringify(value) });

  it.each([
    ['{', /no Extended JSON/],
    ['[]', /is no \{"collection"/],
    [{ pipeline: [] }, /is no \{"collection"/],
    [{ collection: 'c' }, /no list of stages/],
    [{ collection: 'c', pipeline: [], database: 'otra' }, /"database" means nothing/],
    [{ collection: 'c', pipeline: [], columns: { a: 'entero' } }, /column a has no type of/],
    [{ collection: 'c', pipeline: [{ $match: {}, $out: 'x' }] }, /no object with one key/],
    [{ collection: 'c', pipeline: [{ $out: 'x' }] }, /\$out is no stage/],
  ])('%j is refused', (value, message) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ code: 'SOURCE_CONFIG', message: expect.stringMatching(message) }),
    );
  });

  it('keeps the type of every number', () => {
    const { pipeline } = parse(
      '{"collection":"c","pipeline":[{"$match":{"n":{"$numberLong":"9007199254740993"},"d":1.0}}]}',
    );
    expect(String(pipeline[0]!.$match.n)).toBe('9007199254740993');
  });

  it.each([
    { $out: 'x' },
    { $merge: { into: 'x' } },
    { $currentOp: {} },
    { $collStats: {} },
    { $sample: { size: 1 } },
    { $facet: { a: [{ $out: 'x' }] } },
    { $lookup: { from: 'b', as: 'x', pipeline: [{ $merge: 'x' }] } },
    { $lookup: { from: { db: 'otra', coll: 'b' }, as: 'x' } },
    { $lookup: { from: 'system.users', as: 'x' } },
    { $unionWith: 'system.users' },
    { $unionWith: { coll: 'b', pipeline: [{ $unionWith: { coll: 'c', pipeline: [{ $out: 'x' }] } }] } },
    { $match: { $where: 'true' } },
    { $match: { $expr: { $function: { body: 'f', args: [], lang: 'js' } } } },
    { $group: { _id: null, n: { $accumulator: {} } } },
    { $project: { a: { $objectToArray: '$$ROOT' } } },
  ])('%j may not be there', (stage) => {
    expect(pipelineProblems([{ $match: { a: 1 } }, stage])).not.toEqual([]);
  });

  it('takes what only reads', () => {
    const lookup = { $lookup: { from: 'b', let: { x: '$x' }, pipeline: [{ $match: { $expr: {} } }], as: 'y' } };
    const stages = [
      { $match: { a: { $gte: 1 } } },
      lookup,
      { $unwind: '$y' },
      { $unionWith: 'c' },
      { $sort: { a: 1 } },
    ];
    expect(pipelineProblems(stages)).toEqual([]);
    expect(pipelineProblems([])).toEqual([]);
  });
});

it('referencesOf finds every path that a value comes from', () => {
  const pipeline = [
    {
      $project: { plain: '$a.b', kept: 1, whole: '$$ROOT', 'x.y': '$c', made: { $concat: ['$d', '-', '$$ROOT.e.f'] } },
    },
    { $group: { _id: '$g', all: { $push: { v: '$h' } } } },
    { $set: { i: { $getField: 'j' }, k: { $getField: { field: { $literal: 'l.m' }, input: '$$this.n' } } } },
    { $lookup: { from: 'o', let: { p: '$q' }, pipeline: [{ $set: { r: '$$p.s' } }], as: 't' } },
  ];
  const found = referencesOf(pipeline).map(
    ({ path, renamedTo }) => path.join('.') + (renamedTo ? `>${renamedTo}` : ''),
  );
  expect(found).toEqual(['a.b>plain', 'c', 'd', 'e.f', 'g', 'h', 'j', 'l.m', 'n', 'q', 's']);
});

import { ResultCache } from './result-cache';

const bytes = (length: number) => Buffer.alloc(length);

describe('the cache of answers', () => {
  it('lets go of what was longest unused when there are too many bytes', () => {
    const cache = new ResultCache(100);
    for (const key of ['a', 'b', 'c']) cache.set(key, bytes(30));
    expect(cache.get('a')).toHaveLength(30);
    cache.set('d', bytes(30));
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('counts an answer once, also when it is replaced', () => {
    const cache = new ResultCache(100);
    for (let i = 0; i < 10; i++) cache.set('a', bytes(40));
    cache.set('b', bytes(40));
    expect([cache.get('a'), cache.get('b')]).toEqual([bytes(40), bytes(40)]);
  });

  it('takes no answer that would push out most others, and none at all where it may keep none', () => {
    const cache = new ResultCache(100);
    cache.set('small', bytes(10));
    cache.set('large', bytes(51));
    expect([cache.get('small'), cache.get('large')]).toEqual([bytes(10), undefined]);
    const none = new ResultCache(0);
    none.set('a', bytes(1));
    expect(none.get('a')).toBeUndefined();
  });
});

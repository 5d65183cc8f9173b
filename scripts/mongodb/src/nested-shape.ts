import type { Document } from 'mongodb';

/** `[key, inside]` of the members of a document; an array's elements have the key null, what holds nothing a number. */
export type Skeleton = [string | null, Skeleton | number][];

/** With more keys than this, keys seem to be data: comparing would be no quicker than looking. */
const MAX_KEYS = 200;
const HOLDS_NOTHING: Document = { not: { bsonType: ['object', 'array'] } };

/** The keys that were seen inside of a field, level by level. */
export class NestedShape {
  readonly #keys = new Map<string, NestedShape | null>();
  #elements: NestedShape | null = null;

  /**
   * Takes a skeleton in. `isSensitive` is asked for every key; nobody looks below one that is. True where something lies
   * deeper than the skeleton goes.
   */
  learn(skeleton: Skeleton | number, path: string[], isSensitive: (path: string[]) => boolean): boolean {
    if (typeof skeleton === 'number') return skeleton !== 0;
    let isDeeper = false;
    for (const [key, inside] of skeleton) {
      if (key === null) {
        this.#elements ??= new NestedShape();
        if (this.#elements.learn(inside, path, isSensitive)) isDeeper = true;
        continue;
      }
      const below = [...path, key];
      if (isSensitive(below)) {
        this.#keys.set(key, null);
        continue;
      }
      const known = this.#keys.get(key) ?? new NestedShape();
      this.#keys.set(key, known);
      if (known.learn(inside, below, isSensitive)) isDeeper = true;
    }
    return isDeeper;
  }

  /** A schema that no value with another key satisfies, whatever the types; null where there are too many keys. */
  schema(): Document | null {
    return this.#count() > MAX_KEYS ? null : this.#schema();
  }

  #count(): number {
    let count = this.#keys.size + (this.#elements ? this.#elements.#count() : 0);
    for (const shape of this.#keys.values()) if (shape) count += shape.#count();
    return count;
  }

  #schema(): Document {
    const properties: Record<string, Document> = {};
    for (const [key, shape] of this.#keys) {
      if (isSchemaKey(key)) properties[key] = shape ? shape.#schema() : {};
    }
    return {
      properties,
      additionalProperties: false,
      items: this.#elements ? this.#elements.#schema() : HOLDS_NOTHING,
    };
  }
}

/** Documents with other keys count as unlike, and are looked at each time. */
const isSchemaKey = (key: string): boolean => key !== '' && !/[.$]/.test(key) && key !== '__proto__';

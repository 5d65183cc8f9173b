import type { SourceTable } from '@ingesta/kit';
import type { Document } from 'mongodb';
import type { Collection } from './list-collections';
import type { Reach } from './reach';

/** What can be read: a collection, a view, or a dataset over one, with its columns known. */
export interface Relation {
  table: SourceTable;
  collection: Collection;
  /** Of a dataset; empty for the collection itself. */
  pipeline: Document[];
  /** Fields whose values may hold others inside. */
  nested: string[];
  /** Somebody listed the columns: no other field is read. */
  isDeclared: boolean;
  reach: Reach;
}

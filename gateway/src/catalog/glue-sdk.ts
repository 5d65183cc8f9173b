/** What is used of Glue's client, which is imported as a whole when first needed: a bundle leaves out the rest. */
export {
  AlreadyExistsException,
  BatchDeleteTableCommand,
  ConcurrentModificationException,
  CreateDatabaseCommand,
  CreateTableCommand,
  EntityNotFoundException,
  GlueClient,
  paginateGetTables,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';

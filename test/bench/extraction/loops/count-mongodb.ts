import { MongoClient } from 'mongodb';

/**
 * The least a program can do with the driver: a cursor over the collection that counts. `RAW=1`: documents stay bytes.
 * Settings come by environment: MONGO_URI, MONGO_DATABASE, COLLECTION. Prints the count.
 */
async function count(): Promise<void> {
  const { MONGO_URI = '', MONGO_DATABASE, COLLECTION = '', RAW } = process.env;
  const client = new MongoClient(MONGO_URI);
  let rows = 0;
  for await (const _ of client
    .db(MONGO_DATABASE)
    .collection(COLLECTION)
    .find({}, { raw: RAW === '1' }))
    rows++;
  await client.close();
  process.stdout.write(`${rows}\n`);
}

void count();

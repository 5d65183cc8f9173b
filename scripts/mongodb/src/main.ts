import { runScript, type Source } from '@ingesta/kit';
import description from '../source.json';

/** Loads the driver on first use: it knows the doors to the AWS SDK, which must not be evaluated at start. */
const mongodb: Source = {
  connect: async (env, context) => (await import('./source')).mongodb.connect(env, context),
};

void runScript(mongodb, description);

import type { StartedServices } from '../services/index';

/** What Jest's global setup hands to its global teardown; both run in the same process. Kept from the first moment on. */
export const started: { services?: Promise<StartedServices> } = {};

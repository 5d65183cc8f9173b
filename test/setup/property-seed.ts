import { configureGlobal } from 'fast-check';

/** Property tests draw the same cases in every run, so that a red run is red again; other cases: INGESTA_TEST_SEED=7. */
configureGlobal({ seed: Number(process.env.INGESTA_TEST_SEED || 20_250_102) });

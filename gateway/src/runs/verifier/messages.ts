import type { LakeFailure } from '@ingesta/kit';
import type { ClaimedObject } from './verifier';

/** The one thing the verifier's process is told. */
export interface VerifierTask {
  lakeEnv: Readonly<Record<string, string>>;
  objects: readonly ClaimedObject[];
}

/** The one thing it answers. */
export type VerifierAnswer =
  | { kind: 'holds' }
  | { kind: 'problem'; problem: string }
  | { kind: 'lake'; failure: LakeFailure; message: string; hint: string }
  | { kind: 'defect'; stack: string };

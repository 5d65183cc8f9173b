import type { Subject } from '../subjects/subject';
import type { Check } from './check';
import { describes, labelled } from './description';
import { datasetRefused, hostUnreachable, settingsMissing, tableMissing, userRefused } from './failures';
import { jobInLake, jobMissing } from './job-in-lake';
import { lakeRefuses, neverOverwrites, oneTableFails } from './lake';
import {
  answersJob,
  attempt,
  copyInLake,
  csv,
  events,
  keys,
  objects,
  oneDocument,
  sensitive,
  takesJob,
} from './plain-run';
import { compressed, datasets, dryRun, environmentAlone, sensitiveSetting, tables, tablesSetting } from './requests';
import { inspected, secrets } from './secrecy';
import { connectionLost, deadline, sigterm } from './stops';

const OF_EVERY_SCRIPT: readonly Check[] = [
  describes,
  takesJob,
  oneDocument,
  answersJob,
  events,
  keys,
  objects,
  attempt,
  csv,
  sensitive,
  copyInLake,
  environmentAlone,
  jobInLake,
  jobMissing,
  dryRun,
  compressed,
  tables,
  tablesSetting,
  sensitiveSetting,
  datasets,
  datasetRefused,
  settingsMissing,
  tableMissing,
  hostUnreachable,
  connectionLost,
  userRefused,
  sigterm,
  deadline,
  lakeRefuses,
  neverOverwrites,
  oneTableFails,
  // Last: it looks at all launches before it.
  secrets,
];

/** The checks of a subject, in the order in which they are made. */
export const checksOf = ({ kind }: Pick<Subject, 'kind'>): readonly Check[] =>
  kind === 'image' ? [...OF_EVERY_SCRIPT, labelled, inspected] : OF_EVERY_SCRIPT;

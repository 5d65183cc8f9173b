/** What this client reads of the gateway's answers; /docs has the whole. */

export interface TableAnswer {
  url: string;
  registros: number;
  bytes: number;
  sha256: string;
  dropped_columns: { name: string; reason: string }[];
}

export interface RunAnswer {
  status: 'success';
  database: string;
  result: Record<string, TableAnswer>;
  run_id: string;
  consistency: string;
  duration_ms: number;
  warnings: string[];
}

export interface PlanAnswer {
  status: 'planned';
  database: string;
  plan: Record<
    string,
    {
      columns: { name: string; source_type: string }[];
      dropped_columns: { name: string; reason: string }[];
      estimated_rows: number | null;
    }
  >;
  run_id: string;
  consistency: string;
}

export interface TableProgress {
  state: 'running' | 'finished';
  rows: number;
  bytes: number;
  estimated_rows: number | null;
}

export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface ProgressEvent {
  run_id: string;
  database: string;
  state: RunState;
  attempts: number;
  progress: Record<string, TableProgress>;
}

export interface RunSummary {
  run_id: string;
  database: string;
  state: RunState;
  started_at: string;
  finished_at: string | null;
  duration_ms: number | null;
  attempts: number;
  consistency: string | null;
  error_code: string | null;
}

export interface RunInfo extends Omit<RunSummary, 'error_code'> {
  request: { tables: string[] | null; format: string };
  /** Gateways from before it say nothing. */
  requested_by?: string | null;
  gateway: string | null;
  runner: string;
  image: string | null;
  image_digest: string | null;
  progress: Record<string, TableProgress>;
  warnings: string[];
  result?: Record<string, TableAnswer>;
  error: { code: string; message: string; hint: string } | null;
}

export interface SourceStatus {
  name: string;
  title: string;
  image: string;
  present: boolean;
  hint: string | null;
  missing_env: string[] | null;
  last_run: { run_id: string; taken_at: string; age_seconds: number } | null;
}

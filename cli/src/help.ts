export const HELP = `usage: ingesta <command> [options]

commands
  run NAME ... | --all    ingest these databases, or every one that is ready; waits for the end
  runs                    list runs, newest first
  show RUN_ID             one run; with --follow until it is over
  logs RUN_ID             what its script said
  cancel RUN_ID           stop it; nothing of it is published
  keys new NAME           make an API key, and its entry for the gateway's API_KEYS
  sources                 what can be run, what is missing, how old the data is

options of run
  -f, --follow            show progress: a bar per table in a terminal, plain lines elsewhere
  -d, --detach            print the run's id and do not wait
  -t, --tables A,B        only these tables
      --format FORMAT     csv (default) or csv.gz
      --dry-run           only say which tables and columns would go
      --attach            where a run of the database is under way, follow that one
      --slot day|hour     one run per database and slot, however often the line is repeated: for cron
      --idempotency-key KEY   the same, with a key of your own
      --parallel N        databases at a time, default 4
      --retry-for SECONDS wait so long for a gateway that does not answer or is busy, default 300
      --timeout SECONDS   stop waiting for the run, which goes on; exit code 75

options of runs
      --db NAME, --state running|succeeded|failed|cancelled, --limit N (default 20)

options of keys new
      --grant GRANT       what the key may: run, cancel or read, on one source (run@mysql) or all; * for everything; repeatable

options of all
      --url URL           of the gateway; INGESTA_URL, default http://127.0.0.1:8000
      --key-file FILE     with the API key or token, - for stdin; INGESTA_API_KEY_FILE, or the key itself in INGESTA_API_KEY
      --key KEY           the key itself, which everybody on this machine can see while it runs
      --json              JSON on stdout, one document a line
  -q, --quiet             nothing on stderr but failures
  -h, --help              this text
  -V, --version           the version

exit codes
  0 done · 64 wrong request · 66 no such source, table or run · 69 gateway or database unreachable · 70 script failed ·
  73 bucket refuses · 75 nothing published, try again · 77 not allowed · 78 settings missing · 130 Ctrl-C, 143 SIGTERM: the
  run goes on

examples
  ingesta run mysql --follow
  ingesta run --all --slot day
  ingesta run postgresql --tables users,products --format csv.gz --json | jq .result
`;

// The script of the runner suite: does what `DO` in its job says. Plain JavaScript: it runs in images and processes.
const { spawn } = require('node:child_process');
const { readFileSync, writeFileSync, writeSync } = require('node:fs');
const { join } = require('node:path');

if (process.argv.includes('--describe')) {
  process.stdout.write(readFileSync(join(__dirname, 'source.json')));
  process.exit(0);
}
// Where there is no stdin, the job lies in the lake, which is a folder here.
const [, key] = /^lake:(.+)$/.exec(process.env.INGESTA_JOB) ?? [];
const text = readFileSync(key ? new URL(`${process.env.LAKE_URL}/${key}`) : 0, 'utf8');
const job = JSON.parse(text);
const say = (message) =>
  writeSync(2, `${JSON.stringify({ event: 'log', at: new Date().toISOString(), level: 'info', message })}\n`);
const print = (value) => writeSync(1, JSON.stringify(value));
const forever = () => setInterval(() => undefined, 1000);
const attempt = (work) => {
  try {
    work();
    return 'done';
  } catch (error) {
    return error.code;
  }
};

const deeds = {
  echo: () =>
    print({
      text,
      env: Object.keys(process.env).filter((name) => name.startsWith('INGESTA')),
      names: Object.keys(process.env),
    }),
  exit: () => process.exit(Number(job.env.CODE)),
  silence: () => undefined,
  garbage: () => writeSync(1, 'this is\0no JSON'),
  huge: () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 1024; i += 1) writeSync(1, chunk);
  },
  events: () => {
    say('one');
    writeSync(2, 'a stack trace\n');
    say('two');
    process.exit(1);
  },
  obey: () => {
    process.on('SIGTERM', () => process.exit(143));
    forever();
    say('ready');
  },
  ignore: () => {
    process.on('SIGTERM', () => undefined);
    forever();
    say('ready');
  },
  // It keeps the pipes open after its parent has gone.
  grandchild: () => {
    spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'inherit' }).unref();
    print('left one behind');
    process.exit(0);
  },
  memory: () => {
    const held = [];
    for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  heap: () => {
    const held = [];
    for (;;) held.push(new Array(1e5).fill({}));
  },
  forks: () => {
    let refused = 0;
    let started = 0;
    for (let i = 0; i < 300; i += 1) {
      const child = spawn('sleep', ['60'], { stdio: 'ignore' });
      if (child.pid === undefined) refused += 1;
      else started += 1;
      child.on('error', () => undefined);
    }
    print({ started, refused });
    process.exit(0);
  },
  probe: () => {
    const status = readFileSync('/proc/self/status', 'utf8');
    const field = (name) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1];
    print({
      uid: process.getuid(),
      capabilities: field('CapEff'),
      bounding: field('CapBnd'),
      noNewPrivileges: field('NoNewPrivs'),
      rootfs: attempt(() => writeFileSync('/app/x', '')),
      tmp: attempt(() => writeFileSync('/tmp/x', '')),
      tmpFull: attempt(() => writeFileSync('/tmp/y', Buffer.alloc(32 * 1024 * 1024))),
    });
  },
};
deeds[job.env.DO]();

/**
 * Makes the programs: `node build.mjs [gateway|cli|demo|<source> ...]`, all of them unless told which.
 * One CommonJS file each, which needs Node and nothing else but the assets beside it.
 *   scripts/kit/assembly           scripts/kit/generated/row-kernel.ts, which the scripts' programs take in
 *   gateway/src/main.ts            gateway/dist/main.js, the assets of /docs and /redoc, the analytics packs
 *   gateway/src/…/duckdb/worker.ts gateway/dist/duckdb-worker.js, and the native libraries that the image needs
 *   gateway/src/…/verifier/worker.ts  gateway/dist/verifier.js
 *   scripts/<name>/src/main.ts     scripts/<name>/dist/main.js
 *   cli/src/main.ts                cli/dist/main.js, which cli/bin/ingesta.js runs
 *   demo/sample/loader.ts          demo/dist/load-sample.js, and demo/dist/schema
 *   demo/src/main.ts               demo/dist/main.js
 *   test/bench/main.ts             test/bench/dist/main.js, and the loops it compares with
 *   test/conformance/main.ts       test/conformance/dist/main.js
 *   test/fuzz/main.ts              test/fuzz/dist/main.js
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slimGateway } from './build/slim-gateway.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** Natives and optional parts which drivers load only where somebody installed them. */
const EXTERNAL = ['pg-native', 'pg-cloudflare', 'bufferutil', 'utf-8-validate', '*.node'];

/** dockerode's doors to BuildKit sessions and to daemons over ssh, which the gateway never opens. */
const UNUSED = /^(@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|ssh2|cpu-features)($|\/)/;

/** Heavy packages that must be evaluated on first use: whoever wants them says `await import()`. */
const LAZY = /(^|\/)node_modules\/(@aws-sdk|@smithy|@duckdb|jose)\//;

/** What must not be in the gateway at all: its memory is the child's. */
const NOT_IN_GATEWAY = /(^|\/)node_modules\/@duckdb\//;

const GATEWAY = 'gateway/src/main.ts';

/** DuckDB's process, where nothing has to wait. */
const DUCKDB_WORKER = 'gateway/src/analytics/engines/duckdb/worker.ts';

/** Reads objects back where VERIFY=full. */
const VERIFIER = 'gateway/src/runs/verifier/worker.ts';

/** No runtime: the kernel allocates nothing, and its caller lays out the memory behind its own data. */
const KERNEL_FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];

const SWAGGER_UI_ASSETS = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'index.css',
  'favicon-16x16.png',
  'favicon-32x32.png',
];

function programs() {
  const found = [
    [GATEWAY, 'gateway/dist/main.js'],
    [DUCKDB_WORKER, 'gateway/dist/duckdb-worker.js'],
    [VERIFIER, 'gateway/dist/verifier.js'],
  ];
  for (const name of readdirSync(join(root, 'scripts')).sort()) {
    if (name !== 'kit') found.push([`scripts/${name}/src/main.ts`, `scripts/${name}/dist/main.js`]);
  }
  found.push(
    ['cli/src/main.ts', 'cli/dist/main.js'],
    ['demo/sample/loader.ts', 'demo/dist/load-sample.js'],
    ['demo/src/main.ts', 'demo/dist/main.js'],
    ['test/bench/main.ts', 'test/bench/dist/main.js'],
    ['test/bench/extraction/loops/count-mongodb.ts', 'test/bench/dist/count-mongodb.js'],
    ['test/bench/extraction/loops/count-cassandra.ts', 'test/bench/dist/count-cassandra.js'],
    ['test/conformance/main.ts', 'test/conformance/dist/main.js'],
    ['test/fuzz/main.ts', 'test/fuzz/dist/main.js'],
  );
  return found.filter(([entry]) => existsSync(join(root, entry)));
}

/** The CSV writer's kernel: WebAssembly as text in a module, which bundles and tests take like any other. */
function compileRowKernel() {
  const folder = join(root, 'scripts/kit/assembly');
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const target = join(root, 'scripts/kit/generated/row-kernel.ts');
  const { version } = require('assemblyscript/package.json');
  // Seconds of work, for a file that rarely changes.
  const stamp = createHash('sha256')
    .update(JSON.stringify([version, KERNEL_FLAGS, sources]))
    .digest('hex');
  if (existsSync(target) && readFileSync(target, 'utf8').includes(stamp)) return;
  const binary = join(tmpdir(), `row-kernel-${process.pid}.wasm`);
  const compiler = join(dirname(require.resolve('assemblyscript/package.json')), 'bin/asc.js');
  try {
    execFileSync(process.execPath, [compiler, 'row-kernel.ts', ...KERNEL_FLAGS, '--outFile', binary], {
      cwd: folder,
      stdio: 'inherit',
    });
    const text = readFileSync(binary).toString('base64');
    put(target, `/** Of source ${stamp}. */\nexport const ROW_KERNEL =\n  '${text}';\n`);
  } finally {
    rmSync(binary, { force: true });
  }
}

/** The gateway's routes and OpenAPI document, from its controllers. */
function generateRoutes() {
  const gateway = join(root, 'gateway');
  const config = readFileSync(join(gateway, 'tsoa.json'), 'utf8');
  const fresh = `generated-${process.pid}`;
  const freshConfig = join(gateway, `${fresh}.json`);
  writeFileSync(freshConfig, config.replaceAll('"generated"', JSON.stringify(fresh)));
  try {
    const cli = join(dirname(require.resolve('tsoa/package.json')), 'dist/cli.js');
    // tsoa.json's paths are relative to its own folder.
    execFileSync(process.execPath, [cli, 'spec-and-routes', '-c', freshConfig], { cwd: gateway, stdio: 'inherit' });
    for (const file of ['routes.ts', 'openapi.json']) {
      put(join(gateway, 'generated', file), readFileSync(join(gateway, fresh, file)));
    }
  } finally {
    rmSync(join(gateway, fresh), { recursive: true, force: true });
    rmSync(freshConfig);
  }
}

/** Writes a file at once, and only if it changes: somebody may be reading it, or building beside us. */
function put(path, content) {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

/** Packages left out: loading them is free, using them is a clear error. */
const leaveOut = {
  name: 'leave-out',
  setup(build) {
    build.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'left-out' }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({ contents: leftOut(path) }));
  },
};

function leftOut(name) {
  const message = `${name} is not part of this build: only Docker daemons on a socket or on TCP are supported`;
  return `
    const refuse = () => { throw new Error(${JSON.stringify(message)}); };
    module.exports = new Proxy(refuse, {
      get: (target, key) => (typeof key === 'symbol' || key === '__esModule' || key === 'prototype' ? target[key] : module.exports),
      construct: refuse,
    });`;
}

/** swagger-ui-dist is a folder of assets and a function that says where they are: here, beside the bundle. */
const swaggerUiBeside = {
  name: 'swagger-ui-beside',
  setup(build) {
    build.onResolve({ filter: /^swagger-ui-dist($|\/)/ }, ({ path }) => ({ path, namespace: 'swagger-ui' }));
    build.onLoad({ filter: /.*/, namespace: 'swagger-ui' }, () => ({
      contents: `
        const here = () => require('node:path').join(__dirname, 'swagger-ui');
        module.exports = Object.assign(here, { absolutePath: here, getAbsoluteFSPath: here });`,
      resolveDir: root,
    }));
  },
};

/** What only runs where it was built finds the files beside its sources, not beside the bundle. */
const ownFolder = {
  name: 'own-folder',
  setup(build) {
    build.onLoad({ filter: /[\\/]test[\\/](services|bench)[\\/].*\.ts$/ }, ({ path }) => ({
      contents: `const __dirname = ${JSON.stringify(dirname(path))};\n${readFileSync(path, 'utf8')}`,
      loader: 'ts',
    }));
  },
};

function copyDemoAssets() {
  cpSync(join(root, 'demo/sample/schema'), join(root, 'demo/dist/schema'), { recursive: true });
}

/** Express's parts each bring a copy of one large table of media types: one is enough, and spares 8 MB of memory. */
const oneMimeDb = {
  name: 'one-mime-db',
  setup(build) {
    const from = createRequire(require.resolve('express'));
    const only = createRequire(from.resolve('mime-types')).resolve('mime-db');
    build.onResolve({ filter: /^mime-db$/ }, () => ({ path: only }));
  },
};

function copyGatewayAssets() {
  const dist = join(root, 'gateway/dist');
  const swaggerUi = dirname(require.resolve('swagger-ui-dist/package.json'));
  const redoc = dirname(require.resolve('redoc/package.json'));
  const copy = (from, to) => put(join(dist, to), readFileSync(from));
  for (const asset of [...SWAGGER_UI_ASSETS, 'LICENSE']) copy(join(swaggerUi, asset), `swagger-ui/${asset}`);
  copy(join(redoc, 'bundles/redoc.standalone.js'), 'redoc/redoc.standalone.js');
  copy(join(redoc, 'LICENSE'), 'redoc/LICENSE');
  // What each source says of itself: the gateway's image can name one whose own image is not built yet.
  for (const name of readdirSync(join(root, 'scripts'))) {
    const description = join(root, 'scripts', name, 'source.json');
    if (existsSync(description)) copy(description, `sources/${name}/source.json`);
  }
  copyPacks();
}

/** The analytics packs, and nothing of those that are there no more. */
function copyPacks() {
  const files = readdirSync(join(root, 'analytics'), { recursive: true }).filter((name) => name.endsWith('.sql'));
  const target = join(root, 'gateway/dist/analytics');
  for (const name of files) put(join(target, name), readFileSync(join(root, 'analytics', name)));
  for (const name of readdirSync(target, { recursive: true })) {
    if (name.endsWith('.sql') && !files.includes(name)) rmSync(join(target, name));
  }
}

/**
 * DuckDB's native libraries, for the image: those of Linux that npm installed here. In the repository the worker finds
 * the same files in node_modules.
 */
function copyDuckDbLibraries() {
  const scope = join(root, 'node_modules/@duckdb');
  for (const name of readdirSync(scope).filter((one) => one.startsWith('node-bindings-linux-'))) {
    const target = join(root, 'gateway/dist/node_modules/@duckdb', name);
    const [from, to] = [join(scope, name, 'package.json'), join(target, 'package.json')];
    // 70 MB each: only when the version changes. package.json comes last, so that half a copy is done again.
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    for (const file of readdirSync(dirname(from)).filter((one) => one !== 'package.json')) {
      put(join(target, file), readFileSync(join(scope, name, file)));
    }
    put(to, readFileSync(from));
  }
}

/** The imports that lead from the program's start to a package which must load lazily; undefined where none does. */
function eagerPath(entry, inputs) {
  const cameFrom = new Map([[entry, undefined]]);
  for (const file of cameFrom.keys()) {
    if (LAZY.test(file)) {
      const path = [];
      for (let step = file; step !== undefined; step = cameFrom.get(step)) path.unshift(step);
      return path;
    }
    for (const { path, kind, external } of inputs[file]?.imports ?? []) {
      if (!external && kind !== 'dynamic-import' && !cameFrom.has(path)) cameFrom.set(path, file);
    }
  }
  return undefined;
}

async function bundle([entry, outfile]) {
  const { build } = await import('esbuild').catch(() => {
    throw new Error('esbuild is not installed: run npm ci');
  });
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // ECMAScript modules first: only they can be tree-shaken (the AWS SDK: 5 MB of memory less).
    mainFields: ['module', 'main'],
    // Names stay, and lines stay short: stack traces remain readable. V8 keeps the source in memory, so blanks go.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: 'eof',
    external: EXTERNAL,
    // pg makes a Response to learn whether it runs at Cloudflare: Node 20 then loads all that belongs to fetch.
    ...(entry.startsWith('scripts/') && { define: { Response: 'undefined' } }),
    plugins: [leaveOut, swaggerUiBeside, oneMimeDb, ownFolder, ...(entry === GATEWAY ? [slimGateway] : [])],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  // What only the project's own people run may load what it likes.
  const eager =
    /^(gateway|scripts)\//.test(entry) && entry !== DUCKDB_WORKER ? eagerPath(entry, metafile.inputs) : undefined;
  if (eager)
    throw new Error(`${eager.at(-1)} would be evaluated at start: say await import() in\n  ${eager.join('\n  ')}`);
  const heavy = Object.keys(metafile.inputs).find((file) => NOT_IN_GATEWAY.test(file));
  if (heavy && entry === GATEWAY) throw new Error(`${heavy} must not be in the gateway: it is the child's`);
  const [{ contents, text }] = outputFiles;
  // One such letter, and V8 keeps the whole text with two bytes for each of its millions.
  const wide = /^(gateway|scripts)\//.test(entry) ? /[^\0-\xff]/.exec(text) : null;
  if (wide) {
    const around = text.slice(Math.max(0, wide.index - 60), wide.index + 20);
    throw new Error(`${outfile} has ${wide[0]} in it: escape it (\\u…) at\n  ${around}`);
  }
  put(join(root, outfile), contents);
  const kilobytes = Math.round(contents.length / 1024);
  process.stdout.write(`${outfile}  ${kilobytes} kB\n`);
}

async function main(names) {
  compileRowKernel();
  const owner = (entry) => entry.split('/')[/^(scripts|test)\//.test(entry) ? 1 : 0];
  const todo = programs().filter(([entry]) => names.length === 0 || names.includes(owner(entry)));
  if (todo.some(([entry]) => entry === GATEWAY)) {
    generateRoutes();
    copyGatewayAssets();
    copyDuckDbLibraries();
  }
  if (todo.some(([entry]) => entry === 'demo/sample/loader.ts')) copyDemoAssets();
  await Promise.all(todo.map(bundle));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`build: ${error.message}\n`);
  process.exitCode = 1;
});

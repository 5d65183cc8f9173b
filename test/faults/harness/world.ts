import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayProcess, startGateway } from '../../services/gateway-process';
import { s3Env } from '../../services/need';
import { type Caller, callerOf } from './caller';
import { createFaultBucket, type FaultBucket } from './fault-bucket';
import { startNginx } from './nginx';
import { expectSound } from './oracle';
import { type S3Proxy, startS3Proxy } from './s3-proxy';
import { createShop, type Shop } from './shop';
import { startTcpHop, type TcpHop } from './tcp-hop';

const ROOT = join(__dirname, '../../..');
/** On a machine that is busy with other tests: a call to the lake may take a sixth of it, a stall a good third. */
export const LEASE_TTL_S = 8;

/** A gateway, with the line to S3 that it and its scripts have for themselves. */
export interface FaultGateway extends Caller, GatewayProcess {
  readonly s3: S3Proxy;
  log(): Promise<string>;
}

export interface GatewayOptions {
  settings?: Record<string, string>;
  /** Its wall clock is ahead by so many ms. */
  clockAheadMs?: number;
  /** What its line to S3 does from the first call on. */
  line?: (s3: S3Proxy) => void;
}

export interface WorldOptions {
  /** Gateways at the start; those are behind nginx. */
  gateways?: number;
  settings?: Record<string, string>;
  /** Named connections to the shop, beside `postgresql` itself: so many runs can be under way. */
  databases?: readonly string[];
  /** After so long without an answer nginx gives up on a call. */
  nginxTimeoutS?: number;
  /** Rows of each table of the shop. */
  rows?: number;
  /** Where scripts in containers reach this machine; then the shop and S3 are told to them by that name. */
  fromContainers?: { readonly host: string; readonly listen: string };
}

/** Gateways behind nginx, a database behind a relay, a bucket behind a proxy for each gateway. */
export interface World {
  readonly folder: string;
  readonly bucket: FaultBucket;
  readonly shop: Shop;
  readonly database: TcpHop;
  readonly gateways: FaultGateway[];
  /** Calls by way of nginx, where there are gateways from the start. */
  readonly nginx: Caller;
  /** Another gateway, not behind nginx. */
  addGateway(options?: GatewayOptions): Promise<FaultGateway>;
  /** Called when the world ends, before everything that was made until now. */
  atEnd(end: () => Promise<unknown>): void;
}

/** Makes a world for `act`, and when that is over asks the oracle, whatever the row was about. */
export async function inWorld(options: WorldOptions, act: (world: World) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingesta-faults-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  const atEnd = <T>(made: T, end: (made: T) => Promise<unknown>): T => {
    ends.unshift(() => end(made));
    return made;
  };
  try {
    const bucket = atEnd(await createFaultBucket(), (it) => it.close());
    const shop = atEnd(await createShop(options.rows), (it) => it.drop());
    const { host = '127.0.0.1', listen = '127.0.0.1' } = options.fromContainers ?? {};
    const database = atEnd(await startTcpHop(shop.address.host, shop.address.port, listen), (it) => it.close());
    const prefixes = ['', ...(options.databases ?? []).map(prefixOf)];
    const gateways: FaultGateway[] = [];
    const addGateway: World['addGateway'] = async ({
      settings = {},
      clockAheadMs = 0,
      line = () => undefined,
    } = {}) => {
      const s3 = atEnd(await startS3Proxy(new URL(s3Env().endpoint), listen), (it) => it.close());
      line(s3);
      const home = await mkdtemp(join(folder, 'gateway-'));
      const all = {
        RUNNER: 'process',
        LEASE_TTL: String(LEASE_TTL_S),
        PACKS: 'none',
        SWEEP_GRACE: '1',
        LOG_LEVEL: 'debug',
        // Passed on to the scripts: tells whose they are.
        TMPDIR: folder,
        SOURCES: (options.databases ?? []).map((name) => `${name}=postgresql:${prefixOf(name)}`).join(','),
        ...bucket.settings(host, s3.port),
        ...Object.assign({}, ...prefixes.map((prefix) => shop.settings(host, database.port, prefix))),
        ...options.settings,
        ...settings,
        INGESTA_TEST_CLOCK_AHEAD_MS: String(clockAheadMs),
      };
      const flags = clockAheadMs === 0 ? [] : ['--require', join(__dirname, 'shift-clock.cjs')];
      const process = atEnd(await startGateway(ROOT, home, all, flags), (it) => it.stop('SIGKILL'));
      const gateway = { ...process, ...callerOf(process.url), s3, log: () => readFile(process.logFile, 'utf8') };
      gateways.push(gateway);
      return gateway;
    };
    for (let i = 0; i < (options.gateways ?? 2); i += 1) await addGateway();
    const urls = gateways.map(({ url }) => url);
    const balanced =
      urls.length > 0 && atEnd(await startNginx(folder, urls, options.nginxTimeoutS ?? 60), (it) => it.stop());
    const nginx = callerOf(balanced ? balanced.url : 'http://none.invalid');
    const world = {
      folder,
      bucket,
      shop,
      database,
      gateways,
      nginx,
      addGateway,
      atEnd: (end: () => Promise<unknown>) => void ends.unshift(end),
    };
    try {
      await act(world);
      await expectSound(world);
    } catch (error) {
      for (const [i, gateway] of gateways.entries()) {
        console.error(`gateway ${i}:\n${(await gateway.log()).split('\n').slice(-40).join('\n')}`);
      }
      throw error;
    }
  } finally {
    for (const end of ends) await end().catch((error) => console.error('clean-up', error));
  }
}

const prefixOf = (name: string) => `${name.toUpperCase().replaceAll('-', '_')}_`;

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, createCertificate } from '../../../../test/services/certificates';
import type { Opened } from './open-session';

/** Where the certificates of a test's own server are, and the PEM texts of its authority and of one that is not. */
export interface TlsFolder {
  readonly path: string;
  readonly right: string;
  readonly wrong: string;
  remove(): Promise<void>;
}

/** Makes `right.pem`, `wrong.pem`, and `server.key` with `server.pem` for one name: `DNS:localhost`, `IP:127.0.0.1`. */
export async function createTlsFolder(name: string): Promise<TlsFolder> {
  const path = await mkdtemp(join(tmpdir(), 'ingesta-tls-'));
  const right = await createAuthority(path, 'right');
  const wrong = await createAuthority(path, 'wrong');
  await createCertificate(path, 'right', name);
  return { path, right, wrong, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Table `id`, `t` of which every engine holds `LARGE_ROWS`: 1.5 MB, a hundred of TLS's own records. */
export const LARGE_TABLE = 'grande';
export const LARGE_ROWS: readonly (readonly [number, string])[] = Array.from({ length: 3_000 }, (_, id) => [
  id,
  `${id},"ñ" ${String.fromCharCode(97 + (id % 26)).repeat(500)}`,
]);

/** One source against a server with a certificate. */
export interface TlsSubject {
  /** The variable of the authority. */
  readonly variable: string;
  /** A host that the certificate is for, and another name of the same server. */
  readonly named: string;
  readonly unnamed: string;
  /** What a certificate that is not accepted looks like. */
  readonly refusal: object;
  folder(): TlsFolder;
  /** Logs in; anything that it resolves with will do. */
  attempt(mode: string, host: string, ca?: string): Promise<unknown>;
  /** A session with the server that has `LARGE_TABLE`, described. */
  open(mode: string, host: string, ca: string): Promise<Opened>;
}

/** What the modes promise, whatever the engine. */
export function tlsSuite({ variable, named, unnamed, refusal, folder, attempt, open }: TlsSubject): void {
  const connects = async (...args: Parameters<TlsSubject['attempt']>) => {
    await expect(attempt(...args)).resolves.not.toBeInstanceOf(Error);
  };
  const isRefused = async (...args: Parameters<TlsSubject['attempt']>) => {
    await expect(attempt(...args)).rejects.toMatchObject({ code: 'SOURCE_CONFIG', exitCode: 64, ...refusal });
  };

  it('require encrypts and checks no certificate', async () => {
    await connects('require', named);
    await connects('require', unnamed, folder().wrong);
  });

  it('verify-ca wants the authority, as PEM text or as a path, and compares no name', async () => {
    const { path, right, wrong } = folder();
    for (const ca of [right, `# ours\n${right}`, join(path, 'right.pem')]) await connects('verify-ca', unnamed, ca);
    await isRefused('verify-ca', unnamed, wrong);
    await isRefused('verify-ca', unnamed);
  });

  it('verify-full wants the name too', async () => {
    const { right, wrong } = folder();
    await connects('verify-full', named, right);
    await isRefused('verify-full', named, wrong);
    await isRefused('verify-full', unnamed, right);
  });

  it('brings more than 1 MiB of rows whole', async () => {
    const { session, rows, csv, select } = await open('verify-full', named, folder().right);
    try {
      expect((await csv(select(LARGE_TABLE))).length).toBeGreaterThan(2 ** 20);
      const found = (await rows(LARGE_TABLE)).sort((a, b) => Number(a[0]) - Number(b[0]));
      expect(found).toEqual(LARGE_ROWS.map(([id, t]) => [String(id), t]));
    } finally {
      await session.close();
    }
  });

  it('names a path that cannot be read, and repeats nothing that is no path', async () => {
    const absent = join(folder().path, 'absent.pem');
    const tells = async (ca: string, problem: string) => {
      const told = { code: 'SOURCE_CONFIG', message: `${variable}: ${problem}` };
      await expect(attempt('verify-ca', named, ca)).rejects.toMatchObject(told);
    };
    await tells(absent, `cannot read ${absent} (ENOENT)`);
    await tells('key: s3cret\nb: 2', 'neither PEM text nor a path');
  });
}

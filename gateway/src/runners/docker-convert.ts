import type { ContainerCreateOptions } from 'dockerode';
import { type JobSpec, STOP_SECONDS } from './runner';

const MiB = 1024 * 1024;
/** Where a script finds the mounted `~/.aws`; the variables are those of every AWS SDK. */
const AWS_DIR = '/aws';
const AWS_FILES = [`AWS_CONFIG_FILE=${AWS_DIR}/config`, `AWS_SHARED_CREDENTIALS_FILE=${AWS_DIR}/credentials`];

/** Hardening that every container gets, the one that only prints `--describe` too. */
export function hardened(image: string, memoryMiB: number, cpus: number): ContainerCreateOptions {
  return {
    Image: image,
    Tty: false,
    HostConfig: {
      // Never AutoRemove: it races away the exit code and the last output.
      AutoRemove: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=16m' },
      Memory: memoryMiB * MiB,
      // Equal to Memory: no swap.
      MemorySwap: memoryMiB * MiB,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: 128,
      Init: true,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
    },
  };
}

/** A job as Docker's create call. Secrets are not in here: the job goes over stdin. */
export function toContainer(spec: JobSpec): ContainerCreateOptions {
  const base = hardened(spec.source.digest ?? spec.source.reference, spec.memoryMiB, spec.cpus);
  const folder = spec.lakeFolder;
  const aws = spec.ownCredentials?.folder ?? null;
  return {
    ...base,
    name: `ingesta-${spec.job.database}-${spec.job.run_id}-${spec.job.attempt}`,
    Env: ['INGESTA_JOB=stdin', ...(aws === null ? [] : AWS_FILES)],
    Labels: { ...spec.labels },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    StopTimeout: STOP_SECONDS,
    ...(folder?.user ? { User: folder.user } : {}),
    HostConfig: {
      ...base.HostConfig,
      ...(spec.network ? { NetworkMode: spec.network } : {}),
      // Docker Desktop has this name by itself; on Linux it must be asked for.
      ...(spec.network === 'host' ? {} : { ExtraHosts: ['host.docker.internal:host-gateway'] }),
      ...(folder ? { Mounts: [{ Type: 'bind', Source: folder.hostPath, Target: folder.path, ReadOnly: false }] } : {}),
      // The folder, not its files: whoever rotates tokens puts new files into it.
      ...(aws === null ? {} : { Mounts: [{ Type: 'bind', Source: aws, Target: AWS_DIR, ReadOnly: true }] }),
    },
  };
}

import type Docker from 'dockerode';
import { ApiError } from '../errors';
import { answered, engineError, statusOf } from './docker-errors';

/** The parts of the engine's description that we look at; Podman says `Rootless`, Docker says it among the options. */
interface EngineInfo {
  CgroupVersion?: string;
  Rootless?: boolean;
  SecurityOptions?: string[];
}

/**
 * Throws `RUNNER_UNAVAILABLE` where the engine takes limits and does not keep them: a rootless one on cgroups v1 runs each
 * container without a bound on memory and processes, and says so to nobody. An engine that will not describe itself (a
 * proxy before its socket) is taken as it is.
 */
export async function mustKeepLimits(docker: Pick<Docker, 'info'>): Promise<void> {
  const info: EngineInfo = await answered(docker.info()).catch((error) => {
    if (statusOf(error) === undefined) throw engineError(error);
    return {};
  });
  const rootless = info.Rootless === true || (info.SecurityOptions ?? []).includes('name=rootless');
  if (!rootless || info.CgroupVersion !== '1') return;
  throw new ApiError('RUNNER_UNAVAILABLE', 'This rootless engine ignores limits of memory and processes (cgroups v1)', {
    hint: 'Boot the host with cgroups v2 (systemd.unified_cgroup_hierarchy=1), or use an engine that runs as root.',
  });
}

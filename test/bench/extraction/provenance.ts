import { cpus, loadavg, release, totalmem } from 'node:os';

/**
 * Where and when figures were taken, in one sentence, with the command that takes them again. What else the machine has to
 * do just now shows in its load.
 */
export function provenance(server: string, command: string, now = new Date()): string {
  const processors = cpus();
  const cores = `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const load = `load average ${loadavg()[0]!.toFixed(1)}`;
  const date = now.toISOString().slice(0, 16).replace('T', ' ');
  return `${server}. Node ${process.versions.node}; ${cores}, ${memory}, ${load}; ${process.platform} ${release()}; ${date} UTC; \`${command}\``;
}

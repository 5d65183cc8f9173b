import { cpus, release, totalmem } from 'node:os';

/** Where and when figures were taken, in one sentence, with the command that takes them again. */
export function provenance(server: string, command: string, now = new Date()): string {
  const processors = cpus();
  const cores = `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const date = now.toISOString().slice(0, 16).replace('T', ' ');
  return `${server}. Node ${process.versions.node}; ${cores}, ${memory}; ${process.platform} ${release()}; ${date} UTC; \`${command}\``;
}

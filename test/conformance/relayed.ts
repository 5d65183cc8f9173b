import type { Bench } from './bench';
import { type Relay, startRelay } from './relay';

/** A relay with the settings that lead the script to it. */
export interface OpenRelay extends Relay {
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Puts a relay between the script and its database; null where source.json does not tell how: it needs one variable
 * with `host`, holding one plain host, and `<env_prefix>PORT`. A `silent` one takes connections and says nothing.
 */
export async function openRelay(bench: Bench, manner: 'answering' | 'silent'): Promise<OpenRelay | null> {
  const { description, settings, subject } = bench;
  const hosts = description.env.filter(({ name, host }) => host && settings[name]).map(({ name }) => name);
  const [name] = hosts;
  const portName = `${description.env_prefix}PORT`;
  const port = Number(settings[portName]);
  if (name === undefined || hosts.length > 1 || !Number.isInteger(port) || port <= 0) return null;
  const host = settings[name]!;
  if (/[,/]/.test(host)) return null;
  // That name is for containers; for us the server is where such servers listen.
  const upstream = host === subject.route.host ? [subject.route.listen, '127.0.0.1', host] : [host];
  const relay = await startRelay(subject.route.listen, manner === 'silent' ? [] : upstream, port);
  return { ...relay, env: { [name]: subject.route.host, [portName]: String(relay.port) } };
}

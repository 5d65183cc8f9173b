const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i;

/** A variable whose value leads back to the machine that reads it. */
export interface LoopbackVariable {
  name: string;
  /** The host alone: the value may be a URL with a password in it. */
  host: string;
}

/** Those of the variables, each a host or a URL, that mean "this machine": inside a container, the container itself. */
export function loopbackVariables(
  names: readonly string[],
  values: Readonly<Record<string, string | undefined>>,
): LoopbackVariable[] {
  return names.flatMap((name) => {
    // Some sources take several hosts; one that is meant wrongly is enough.
    const hosts = (values[name] ?? '').split(',').map((value) => hostOf(value.trim()));
    const host = hosts.find((host) => LOOPBACK.test(host));
    return host === undefined ? [] : [{ name, host }];
  });
}

const hostOf = (value: string) => (value.includes('://') && URL.canParse(value) ? new URL(value).hostname : value);

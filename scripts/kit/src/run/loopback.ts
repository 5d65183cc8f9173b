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
    const host = hostOf(values[name] ?? '');
    return LOOPBACK.test(host) ? [{ name, host }] : [];
  });
}

const hostOf = (value: string) => (value.includes('://') && URL.canParse(value) ? new URL(value).hostname : value);

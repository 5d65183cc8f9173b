import type { Attempt } from './attempts';
import { HOST_FROM_CONTAINER, type ServiceHandle, type ServiceName } from './service';

/** A database that the caller already has, told as a URL: nothing to start, nothing to stop. */
export function givenByUrl(name: ServiceName, variable: string, prefix: string, defaultPort: string): Attempt {
  return {
    from: 'given',
    start: async (): Promise<ServiceHandle | undefined> => {
      const text = process.env[variable];
      if (!text) return undefined;
      const url = new URL(text);
      const env = {
        [`${prefix}_HOST`]: url.hostname,
        [`${prefix}_PORT`]: url.port || defaultPort,
        [`${prefix}_USER`]: decodeURIComponent(url.username),
        [`${prefix}_PASSWORD`]: decodeURIComponent(url.password),
        [`${prefix}_DOCKER_HOST`]: hostFromContainer(url.hostname),
      };
      return { name, how: `given by env ${variable}`, env, stop: async () => undefined };
    },
  };
}

/** The host as a container has to call it: "localhost" in there is the container itself. */
export function hostFromContainer(host: string): string {
  return ['localhost', '127.0.0.1', '[::1]'].includes(host) ? HOST_FROM_CONTAINER : host;
}

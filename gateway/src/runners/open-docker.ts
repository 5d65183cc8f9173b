import Docker, { type DockerOptions } from 'dockerode';

const NOTHING = Buffer.alloc(0);

/**
 * The engine that `options`, else DOCKER_HOST, name. dockerode sends the options of attach a second time as the request's body,
 * which Docker reads over and Podman takes for the beginning of the container's stdin: here that body is empty.
 */
export function openDocker(options?: DockerOptions): Docker {
  const docker = new Docker(options);
  const dial = docker.modem.dial.bind(docker.modem);
  docker.modem.dial = (request: Parameters<typeof dial>[0], answer: Parameters<typeof dial>[1]) =>
    dial(request.hijack ? { ...request, file: NOTHING } : request, answer);
  return docker;
}

import type Docker from 'dockerode';
import type { Container, ContainerAttachOptions, ContainerCreateOptions } from 'dockerode';
import { DockerDemux } from '../../../gateway/src/runners/docker-demux';

/** The engine as the gateway's launcher sees it, with a second look at what the launcher itself has no use for. */
export class ObservedEngine implements Pick<Docker, 'createContainer' | 'getContainer'> {
  /** What `docker inspect` says of the container that was created last. */
  inspected: string | null = null;

  constructor(
    private readonly docker: Docker,
    private readonly onStderr: (chunk: Buffer) => void,
  ) {}

  getContainer(id: string): Container {
    return this.docker.getContainer(id);
  }

  // Of dockerode's overloads the launcher uses this one.
  createContainer = (async (options: ContainerCreateOptions): Promise<Container> => {
    const container = await this.docker.createContainer(options);
    this.inspected = JSON.stringify(await container.inspect());
    const attach = container.attach.bind(container) as (
      options: ContainerAttachOptions,
    ) => Promise<NodeJS.ReadWriteStream>;
    const observed = async (options: ContainerAttachOptions) => {
      const stream = await attach(options);
      const demux = new DockerDemux(
        () => undefined,
        (chunk) => this.onStderr(chunk),
      );
      // The container is not started yet: nothing flows before the launcher listens, too.
      stream.on('data', (chunk: Buffer) => demux.write(chunk));
      return stream;
    };
    return Object.assign(container, { attach: observed });
  }) as Docker['createContainer'];
}

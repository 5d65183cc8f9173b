/** The part of the driver that parses frames; its types leave it out. */
declare module 'cassandra-driver/lib/streams' {
  export interface Frame {
    header: unknown;
    meta: { keyspace?: string; columns: { ksname?: string }[]; pageState?: Buffer };
    flagsInfo: unknown;
    isStreaming?: boolean;
    /** Ours, decided by the first part of the body: it is thrown away, and whoever asked was told. */
    isRefused?: boolean;
  }
  export interface FramePart {
    header: { bodyLength: number };
  }
  export interface FrameReader {
    readonly buf: Buffer;
    offset: number;
    readInt(): number;
    toEnd(): void;
  }
  export class Parser {
    readonly encoder: { encodingOptions: Record<string, unknown> };
    handleFrameBuffers(frame: Frame, part: FramePart): boolean;
    parseRows(frame: Frame, reader: FrameReader): void;
    push(item: unknown): boolean;
  }
}

/** Reads the fields of a frame. */
declare module 'cassandra-driver/lib/readers' {
  export interface WireType {
    code: number;
    /** Depends on the code: class name, type of the elements, types of key and value … */
    info?: unknown;
  }
  export interface WireMetadata {
    keyspace?: string;
    table?: string;
    columns: { ksname?: string; tablename?: string; name: string; type: WireType }[];
  }
  export class FrameReader {
    readMetadata(kind: number): WireMetadata;
  }
}

/** Prepares statements without running them. */
declare module 'cassandra-driver/lib/prepare-handler' {
  import type { Client } from 'cassandra-driver';
  import type { WireMetadata } from 'cassandra-driver/lib/readers';

  const handler: {
    getPrepared(
      client: Client,
      loadBalancing: unknown,
      query: string,
      keyspace: string | undefined,
    ): Promise<{ meta: WireMetadata }>;
  };
  export = handler;
}

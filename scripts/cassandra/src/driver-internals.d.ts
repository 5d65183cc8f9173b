/** The part of the driver that parses frames; its types leave it out. */
declare module 'cassandra-driver/lib/streams' {
  export interface Frame {
    header: unknown;
    meta: { keyspace?: string; columns: { ksname?: string }[]; pageState?: Buffer };
    flagsInfo: unknown;
    isStreaming?: boolean;
  }
  export interface FrameReader {
    readonly buf: Buffer;
    offset: number;
    readInt(): number;
    toEnd(): void;
  }
  export class Parser {
    readonly encoder: { encodingOptions: Record<string, unknown> };
    parseRows(frame: Frame, reader: FrameReader): void;
    push(item: unknown): boolean;
  }
}

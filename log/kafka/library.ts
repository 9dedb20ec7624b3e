import type * as Kafka from '@platformatic/kafka';

/** The client library, of which the driver uses connections, the protocol layer, and the SASL mechanisms. */
export type Library = typeof Kafka;
export type LibraryConnection = Kafka.Connection;
export type LibraryConnectionOptions = Kafka.ConnectionOptions;
export type LibraryApi<Request extends unknown[], Response> = Kafka.API<Request, Response>;
export type Metadata = Awaited<ReturnType<Library['metadataV12']['api']['async']>>;

let loading: Promise<Library> | undefined;

/** Loads the library on first use: its import takes about a second, which nobody without Kafka should pay. */
export function loadLibrary(): Promise<Library> {
  loading ??= import('@platformatic/kafka');
  return loading;
}

import type { Reader, Writer } from '@platformatic/kafka';
import type { BrokerId, Cluster, Lane } from './cluster.ts';

/** A request of ours: the library has no such version, or throws where we want to look at the code. */
export interface Request<T> {
  readonly api: number;
  readonly version: number;
  write(writer: Writer): void;
  read(reader: Reader): T;
}

/** Sends a request over the library's connection of that lane. What the broker says in error codes is not thrown. */
export function ask<T>(cluster: Cluster, broker: BrokerId, lane: Lane, request: Request<T>): Promise<T> {
  return cluster.call(
    broker,
    lane,
    (connection) =>
      new Promise<T>((resolve, reject) => {
        connection.send(
          request.api,
          request.version,
          () => {
            const writer = cluster.library.Writer.create();
            request.write(writer);
            return writer.appendTaggedFields();
          },
          (_correlation, _api, _version, reader) => request.read(reader),
          true,
          true,
          (failure, answer) => (failure === null ? resolve(answer as T) : reject(failure)),
        );
      }),
  );
}

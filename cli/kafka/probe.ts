import { connect } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { HOST } from './properties.ts';

const API_VERSIONS = 18;
const METADATA = 3;
const TIMEOUT_MS = 2_000;

/**
 * Asks one broker who is there: resolves to the number of brokers that serve and know a controller, 0 where nobody
 * answers. Metadata is asked behind ApiVersions, since a broker answers the latter before the cluster has taken it up.
 */
export async function servingBrokers(port: number, clock: Clock): Promise<number> {
  const versions = await ask(port, clock, API_VERSIONS, 0, Buffer.alloc(0));
  if (versions === undefined || versions.readInt16BE(0) !== 0) return 0;
  // no topics, in version 1
  const metadata = await ask(port, clock, METADATA, 1, Buffer.alloc(4));
  return metadata === undefined ? 0 : brokersOf(metadata);
}

/** Reads an answer of Metadata 1 up to its controller. */
export function brokersOf(answer: Buffer): number {
  const count = answer.readInt32BE(0);
  let at = 4;
  for (let i = 0; i < count; i++) {
    at += 4;
    at += 2 + answer.readInt16BE(at) + 4;
    at += 2 + Math.max(0, answer.readInt16BE(at));
  }
  return answer.readInt32BE(at) >= 0 ? count : 0;
}

/** Sends one request without client name; resolves to the body of the answer, `undefined` where none comes. */
function ask(port: number, clock: Clock, api: number, version: number, body: Buffer): Promise<Buffer | undefined> {
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + body.length, 0);
  head.writeInt16BE(api, 4);
  head.writeInt16BE(version, 6);
  head.writeInt16BE(-1, 12);
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    const done = (answer?: Buffer) => {
      stopWaiting();
      socket.destroy();
      resolve(answer);
    };
    const stopWaiting = clock.after(TIMEOUT_MS, done);
    let got = Buffer.alloc(0);
    socket.on('error', () => done());
    socket.on('close', () => done());
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= 4 && got.length >= 4 + got.readInt32BE(0)) done(got.subarray(8));
    });
    socket.write(Buffer.concat([head, body]));
  });
}

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { correlationOf, requestFrame, Splitter } from './frames.ts';

/** A server that answers every request at once, and remembers what came. */
export async function startFakeBroker() {
  const requests: { readonly api: number; readonly correlation: number; readonly socket: number }[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const serial = sockets.push(socket) - 1;
    const splitter = new Splitter();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const bytes of splitter.push(chunk)) {
        const { api, correlation } = requestFrame(bytes);
        requests.push({ api, correlation, socket: serial });
        const answer = Buffer.alloc(8);
        answer.writeInt32BE(4);
        answer.writeInt32BE(correlation, 4);
        socket.write(answer);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A request with nothing but its header, or with a body behind it. */
export function makeRequest(api: number, version: number, correlation: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(18);
  header.writeInt32BE(14 + body.length);
  header.writeInt16BE(api, 4);
  header.writeInt16BE(version, 6);
  header.writeInt32BE(correlation, 8);
  header.writeInt16BE(4, 12);
  header.write('test', 14);
  return Buffer.concat([header, body]);
}

/** A client that sends frames and keeps the answers. */
export async function openFakeClient(port: number) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answers: Buffer[] = [];
  const splitter = new Splitter();
  const wakes: (() => void)[] = [];
  const wake = () => {
    for (const each of wakes.splice(0)) each();
  };
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    answers.push(...splitter.push(chunk));
    wake();
  });
  socket.on('close', wake);
  return {
    answers,
    socket,
    get correlations() {
      return answers.map(correlationOf);
    },
    send(...frames: readonly Buffer[]) {
      for (const frame of frames) socket.write(frame);
    },
    /** Waits for something to come, until it is so. */
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wakes.push(resolve);
        });
      }
    },
  };
}

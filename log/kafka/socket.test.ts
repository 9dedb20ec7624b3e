import assert from 'node:assert/strict';
import { createServer, type Socket as NetSocket, type Server } from 'node:net';
import { after, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { AnswerPool } from './answer-pool.ts';
import { endpoint } from './endpoint.ts';
import { Stale } from './error-codes.ts';
import { loadLibrary } from './library.ts';
import type { SaslOptions } from './options.ts';
import { Pulse } from './pulse.ts';
import { type KafkaSocket, openSocket } from './socket.ts';
import { API, Versions } from './versions.ts';

const library = await loadLibrary();
const ECHO = API.fetch;

interface Request {
  readonly api: number;
  readonly version: number;
  readonly correlation: number;
  readonly client: string;
  readonly body: Buffer;
}

/** A broker that answers as a test says; it sees whole requests, and may answer when it likes. */
class TestServer {
  readonly requests: Request[] = [];
  answer: (request: Request, socket: NetSocket) => void;
  #server: Server | undefined;
  readonly #sockets: NetSocket[] = [];

  constructor(answer: (request: Request, socket: NetSocket) => void) {
    this.answer = answer;
    after(() => this.close());
  }

  async listen(): Promise<number> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: NetSocket): void {
    this.#sockets.push(socket);
    let pending = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const size = pending.readInt32BE(0);
        const request = parse(pending.subarray(4, 4 + size));
        pending = pending.subarray(4 + size);
        this.requests.push(request);
        this.answer(request, socket);
      }
    });
  }
}

function parse(bytes: Buffer): Request {
  const api = bytes.readInt16BE(0);
  const clientEnd = 10 + bytes.readInt16BE(8);
  // The handshake of SASL alone has a header without tagged fields.
  const body = bytes.subarray(clientEnd + (api === API.saslHandshake ? 0 : 1));
  const client = bytes.toString('utf8', 10, clientEnd);
  return { api, version: bytes.readInt16BE(2), correlation: bytes.readInt32BE(4), client, body };
}

function framed({ correlation, api }: Pick<Request, 'correlation' | 'api'>, body: Buffer): Buffer {
  const tags = api === API.saslHandshake ? 0 : 1;
  const head = Buffer.alloc(8 + tags);
  head.writeInt32BE(4 + tags + body.length, 0);
  head.writeInt32BE(correlation, 4);
  return Buffer.concat([head, body]);
}

const echo = (request: Request, socket: NetSocket) => void socket.write(framed(request, request.body));

async function open(
  server: TestServer,
  clock = new VirtualClock(0),
  sasl?: SaslOptions,
): Promise<{ socket: KafkaSocket; clock: VirtualClock; pulse: Pulse }> {
  const pulse = new Pulse(new VirtualClock(0));
  const at = endpoint('127.0.0.1', await server.listen());
  const versions = new Versions(at.name, new Map(), new Map());
  const socket = await openSocket(at, {
    clock,
    library,
    clientId: 'tester',
    security: { tls: undefined, sasl },
    versions,
    pulse,
    pool: new AnswerPool(),
    onBroken: () => undefined,
  });
  after(() => socket.close());
  return { socket, clock, pulse };
}

async function send(socket: KafkaSocket, ...texts: string[]): Promise<string> {
  const answer = await socket.send(
    ECHO,
    17,
    texts.map((text) => Buffer.from(text)),
    1000,
  );
  const text = answer.bytes.toString('utf8', answer.start, answer.end);
  answer.release();
  answer.release();
  return text;
}

test('several requests in flight are answered in order, each by its own answer', async () => {
  const server = new TestServer(echo);
  const { socket } = await open(server);
  const texts = Array.from({ length: 50 }, (_, i) => [`part ${i}`, 'x'.repeat(i * 997), 'end']);
  const answers = await Promise.all(texts.map((parts) => send(socket, ...parts)));
  assert.deepEqual(
    answers,
    texts.map((parts) => parts.join('')),
  );
  assert.ok(server.requests.every(({ api, version, client }) => api === ECHO && version === 17 && client === 'tester'));
});

test('a connection that breaks fails what is in flight as unknown, and what comes later as not sent', async () => {
  const server = new TestServer((request, socket) => {
    if (request.body.toString() === 'last') socket.destroy();
  });
  const { socket, pulse } = await open(server);
  const first = send(socket, 'first');
  const last = send(socket, 'last');
  await assert.rejects(first, { code: 'log.timeout', message: /outcome is not known/ });
  await assert.rejects(last, { code: 'log.timeout' });
  assert.equal(socket.open, false);
  await assert.rejects(send(socket, 'later'), Stale);
  assert.equal(pulse.breaks, 1);
});

test('a connection that we close has not broken', async () => {
  const { socket, pulse } = await open(new TestServer(echo));
  await send(socket, 'hello');
  socket.close();
  assert.equal(pulse.breaks, 0);
});

test('an answer that does not come breaks the connection', async () => {
  const server = new TestServer(() => undefined);
  const { socket, clock } = await open(server);
  const waiting = send(socket, 'anyone?');
  clock.advance(999);
  assert.equal(socket.open, true);
  clock.advance(1);
  await assert.rejects(waiting, { code: 'log.timeout', message: /did not answer in 1000 ms/ });
  assert.equal(socket.open, false);
});

test('an answer to another request breaks the connection', async () => {
  const server = new TestServer((request, socket) => {
    socket.write(framed({ ...request, correlation: request.correlation + 1 }, request.body));
  });
  const { socket } = await open(server);
  await assert.rejects(send(socket, 'first'), { code: 'log.timeout', message: /out of order/ });
});

test('tagged fields in the header of an answer are passed over', async () => {
  const server = new TestServer((request, socket) => {
    const tags = Buffer.from([1, 0, 3, 9, 9, 9]);
    const answer = framed(request, Buffer.concat([tags.subarray(1), request.body]));
    answer[8] = tags[0]!;
    socket.write(answer);
  });
  const { socket } = await open(server);
  assert.equal(await send(socket, 'hello'), 'hello');
});

test('who does not listen cannot be reached', async () => {
  const server = new TestServer(echo);
  const port = await server.listen();
  server.close();
  const at = endpoint('127.0.0.1', port);
  const options = {
    clock: new VirtualClock(0),
    library,
    clientId: 'tester',
    security: { tls: undefined, sasl: undefined },
    versions: new Versions(at.name, new Map(), new Map()),
    pulse: new Pulse(new VirtualClock(0)),
    pool: new AnswerPool(),
    onBroken: () => undefined,
  };
  await assert.rejects(openSocket(at, options), Stale);
});

/** Lets connections through SASL/PLAIN whose password is `open`, for a second. */
function saslServer(): TestServer {
  const { Writer } = library;
  return new TestServer((request, socket) => {
    if (request.api === API.saslHandshake) {
      const named = Writer.create().appendInt16(0).appendInt32(1).appendString('PLAIN', false);
      socket.write(framed(request, named.buffer));
    } else if (request.api === API.saslAuthenticate) {
      const good = request.body.includes('\0user\0open');
      const said = Writer.create()
        .appendInt16(good ? 0 : 58)
        .appendString(good ? null : 'no such user')
        .appendBytes(Buffer.alloc(0))
        .appendInt64(1000n)
        .appendTaggedFields();
      socket.write(framed(request, said.buffer));
    } else if (!request.body.includes('hold')) echo(request, socket);
  });
}

test('a session is renewed in time: what is in flight is answered first, what comes meanwhile waits', async () => {
  const server = saslServer();
  const { socket, clock } = await open(server, undefined, { mechanism: 'PLAIN', username: 'user', password: 'open' });
  let held: (() => void) | undefined;
  const plain = server.answer;
  server.answer = (request, net) => {
    if (request.body.toString() === 'slow') held = () => echo(request, net);
    else plain(request, net);
  };
  assert.equal(await send(socket, 'one'), 'one');
  const slow = send(socket, 'slow');
  while (held === undefined) await clock.turn();
  clock.advance(800);
  const meanwhile = send(socket, 'meanwhile');
  for (let i = 0; i < 5; i++) await clock.turn();
  assert.equal(server.requests.length, 4, 'nothing is sent while an answer is awaited');
  held();
  assert.deepEqual(await Promise.all([slow, meanwhile]), ['slow', 'meanwhile']);
  const { saslHandshake, saslAuthenticate } = API;
  assert.deepEqual(
    server.requests.map(({ api }) => api),
    [saslHandshake, saslAuthenticate, ECHO, ECHO, saslHandshake, saslAuthenticate, ECHO],
  );
});

test('wrong credentials are told, without the secret', async () => {
  const opening = open(saslServer(), undefined, { mechanism: 'PLAIN', username: 'user', password: 'sesame' });
  await assert.rejects(opening, (thrown: Error & { code: string }) => {
    return thrown.code === 'kafka.credentials' && /no such user/.test(thrown.message) && !/sesame/.test(thrown.message);
  });
});

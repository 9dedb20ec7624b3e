import { connect as connectPlain, type Socket as NetSocket, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Bytes, readInt32, writeInt16, writeInt32 } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { AnswerPool } from './answer-pool.ts';
import type { Answer, Socket } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';
import { Stale } from './error-codes.ts';
import { failureFrom } from './failures.ts';
import { Frames } from './frames.ts';
import type { Library } from './library.ts';
import type { Pulse } from './pulse.ts';
import { type Security, tlsOptions } from './security.ts';
import { authenticateSocket, type RawExchange } from './socket-sasl.ts';
import type { Versions } from './versions.ts';

const CONNECT_TIMEOUT_MS: Millis = 10_000;
/** Of the lifetime of a session, when it is renewed. */
const RENEW_AT = 0.8;

export interface SocketOptions {
  readonly clock: Clock;
  readonly library: Library;
  readonly clientId: string;
  readonly security: Security;
  readonly versions: Versions;
  readonly pulse: Pulse;
  readonly pool: AnswerPool;
  /** Told once, when it is no longer open. */
  onBroken(): void;
}

interface InFlight {
  readonly correlation: number;
  /** Whether the answer's header ends in tagged fields. */
  readonly flexible: boolean;
  resolve(answer: Answer): void;
  reject(failure: Error): void;
  cancelTimeout(): void;
}

/** Opens a socket to a broker, authenticated where that is asked. Fails with a `Stale` or a `FlowError`. */
export async function openSocket(at: Endpoint, options: SocketOptions): Promise<KafkaSocket> {
  const socket = new KafkaSocket(at, options);
  await socket.start();
  return socket;
}

export class KafkaSocket implements Socket {
  readonly versions: Versions;
  readonly at: Endpoint;
  readonly #options: SocketOptions;
  readonly #frames: Frames;
  readonly #header: Bytes;
  #net: NetSocket | undefined;
  #inFlight: InFlight[] = [];
  #correlation = 0;
  #failure: Error | undefined;
  /** While the session is renewed: what waits to be sent. */
  #held: (() => void)[] | undefined;
  #drained: (() => void) | undefined;
  #cancelRenewal: () => void = () => undefined;

  constructor(at: Endpoint, options: SocketOptions) {
    this.at = at;
    this.#options = options;
    this.versions = options.versions;
    this.#frames = new Frames(options.pool, (bytes, size) => this.#deliver(bytes, size));
    this.#header = headerTemplate(options.clientId);
  }

  get open(): boolean {
    return this.#failure === undefined;
  }

  async start(): Promise<void> {
    try {
      await this.#connect();
      await this.#authenticate();
    } catch (thrown) {
      const failure = failureFrom(thrown, `connecting to ${this.at.name}`);
      this.#break(failure);
      throw failure;
    }
  }

  send(api: number, version: number, parts: readonly Bytes[], timeoutMs: Millis): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const write = () => this.#write(api, version, parts, timeoutMs, true, resolve, reject);
      if (this.#held === undefined) write();
      else this.#held.push(write);
    });
  }

  close(): void {
    this.#break(new FlowError('log.closed', `the connection to ${this.at.name} was closed`));
  }

  #connect(): Promise<void> {
    const { clock, security } = this.#options;
    const { host, port, name } = this.at;
    const onread: OnReadOpts = {
      buffer: () => this.#frames.target(),
      callback: (count, bytes) => {
        this.#take(count, bytes as Bytes);
        return true;
      },
    };
    const tls = tlsOptions(security, this.at);
    return new Promise((resolve, reject) => {
      const net: NetSocket =
        tls === undefined
          ? connectPlain({ host, port, onread, noDelay: true })
          : connectTls({ ...tls, host, port, onread } as ConnectionOptions);
      this.#net = net;
      net.setNoDelay(true);
      const cancel = clock.after(CONNECT_TIMEOUT_MS, () =>
        net.destroy(new Stale(`${name} did not answer the connection in ${CONNECT_TIMEOUT_MS} ms`, true)),
      );
      net.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        cancel();
        resolve();
      });
      net.on('error', (failure) => {
        cancel();
        reject(failure);
        this.#break(failure);
      });
      net.on('close', () => {
        cancel();
        const failure = new Stale(`${name} closed the connection`, true);
        reject(failure);
        this.#break(failure);
      });
    });
  }

  /** Proves who we are, and renews the session in time; requests wait meanwhile, and those in flight come first. */
  async #authenticate(): Promise<void> {
    const { library, security, clock } = this.#options;
    if (security.sasl === undefined) return;
    this.#held ??= [];
    if (this.#inFlight.length > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    const raw: RawExchange = (api, version, body, flexible) =>
      new Promise((resolve, reject) => {
        this.#write(api, version, [body], CONNECT_TIMEOUT_MS, flexible, resolve, reject);
      });
    const sessionMs = await authenticateSocket(library, security.sasl, this.at, raw);
    if (sessionMs > 0) {
      this.#cancelRenewal = clock.after(sessionMs * RENEW_AT, () => {
        this.#authenticate().catch((failure: Error) => this.#break(failure));
      });
    }
    const held = this.#held;
    this.#held = undefined;
    for (const write of held ?? []) write();
  }

  #write(
    api: number,
    version: number,
    parts: readonly Bytes[],
    timeoutMs: Millis,
    flexible: boolean,
    resolve: (answer: Answer) => void,
    reject: (failure: Error) => void,
  ): void {
    const net = this.#net;
    if (this.#failure !== undefined || net === undefined) {
      reject(new Stale(`the connection to ${this.at.name} is closed`, true));
      return;
    }
    const correlation = this.#correlation;
    this.#correlation = (correlation + 1) & 0x7fffffff;
    const header = Buffer.from(this.#header.subarray(0, this.#header.length - (flexible ? 0 : 1)));
    let size = header.length - 4;
    for (const part of parts) size += part.length;
    writeInt32(header, 0, size);
    writeInt16(header, 4, api);
    writeInt16(header, 6, version);
    writeInt32(header, 8, correlation);
    const cancelTimeout = this.#options.clock.after(timeoutMs, () => {
      this.#break(
        new FlowError('log.timeout', `${this.at.name} did not answer in ${timeoutMs} ms; the outcome is not known`),
      );
    });
    this.#options.pulse.asked();
    this.#inFlight.push({ correlation, flexible, resolve, reject, cancelTimeout });
    net.cork();
    net.write(header);
    for (const part of parts) net.write(part);
    net.uncork();
  }

  #take(count: number, bytes: Bytes): void {
    if (this.#failure !== undefined) return;
    try {
      this.#frames.take(count, bytes);
    } catch (thrown) {
      this.#break(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #deliver(bytes: Bytes, size: number): void {
    const request = this.#inFlight.shift();
    if (request === undefined || readInt32(bytes, 0) !== request.correlation) {
      if (request !== undefined) this.#inFlight.unshift(request);
      this.#options.pool.giveBack(bytes);
      throw new Stale(`${this.at.name} answered out of order`, true);
    }
    request.cancelTimeout();
    this.#options.pulse.heard();
    let start = 4;
    if (request.flexible) start = behindTags(bytes, start);
    request.resolve(new PooledAnswer(this.#options.pool, bytes, start, size));
    if (this.#inFlight.length === 0) {
      this.#drained?.();
      this.#drained = undefined;
    }
  }

  #break(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    if (!isFlowError(failure, 'log.closed')) this.#options.pulse.broke();
    this.#options.onBroken();
    this.#cancelRenewal();
    this.#frames.clear();
    this.#net?.destroy();
    const broken = this.#inFlight;
    this.#inFlight = [];
    for (const request of broken) {
      request.cancelTimeout();
      request.reject(this.#unknown(failure));
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  #unknown(failure: Error): Error {
    if (failure instanceof FlowError) return failure;
    return new FlowError(
      'log.timeout',
      `the connection to ${this.at.name} broke before the answer came (${messageOf(failure)}); the outcome is not known`,
      { cause: failure },
    );
  }
}

class PooledAnswer implements Answer {
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  #pool: AnswerPool | undefined;

  constructor(pool: AnswerPool, bytes: Bytes, start: number, end: number) {
    this.#pool = pool;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  release(): void {
    this.#pool?.giveBack(this.bytes);
    this.#pool = undefined;
  }
}

/** Length, api, version, correlation, client and no tagged fields: header version 2; without its last byte version 1. */
function headerTemplate(clientId: string): Bytes {
  const client = Buffer.from(clientId);
  const header = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 1);
  writeInt16(header, 12, client.length);
  client.copy(header, 14);
  return header;
}

/** Behind the tagged fields of an answer's header, of which brokers send none so far. */
function behindTags(bytes: Bytes, at: number): number {
  let left = bytes[at++]!;
  for (; left > 0; left--) {
    while (bytes[at++]! > 127);
    const size = bytes[at++]!;
    at += size;
  }
  return at;
}

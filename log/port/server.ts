import type { MessagePort } from 'node:worker_threads';
import type { GroupMember, Log, LogProducer, LogReader, ProducerOptions } from '../log.ts';
import {
  asBuffer,
  type Call,
  type ClientMessage,
  type EventMessage,
  type Failure,
  type FetchedData,
  flatten,
  type JoinOptions,
  type ProducerCall,
  revive,
  type Tell,
} from './protocol.ts';

export interface LogServer {
  /** Ends what the other side has open and closes the port; the log itself stays open. Idempotent. */
  close(): Promise<void>;
}

/**
 * Lets whoever holds the other end of `port` use this log through `connectLog`. When the port closes, its readers
 * are closed, its members leave, and its open transactions are aborted.
 */
export function serveLog(log: Log, port: MessagePort): LogServer {
  const server = new Server(log, port);
  return { close: () => server.close() };
}

class Server {
  readonly #log: Log;
  readonly #port: MessagePort;
  readonly #readers = new Map<number, LogReader>();
  readonly #producers = new Map<number, LogProducer>();
  readonly #members = new Map<number, GroupMember>();
  readonly #fetches = new Map<number, AbortController>();
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(failure: Error): void }>();
  #asks = 0;
  #ended: Promise<void> | undefined;

  constructor(log: Log, port: MessagePort) {
    this.#log = log;
    this.#port = port;
    port.on('message', (message: ClientMessage) => this.#take(message));
    port.on('close', () => void this.#end());
  }

  async close(): Promise<void> {
    await this.#end();
    this.#port.close();
  }

  #take(message: ClientMessage): void {
    if (message.kind === 'call') this.#call(message.id, message.call);
    else if (message.kind === 'tell') this.#tell(message.tell);
    else if (message.kind === 'cancel') this.#fetches.get(message.id)?.abort();
    else {
      const asked = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (message.failure === undefined) asked?.resolve(message.value);
      else asked?.reject(revive(message.failure));
    }
  }

  async #call(id: number, call: Call): Promise<void> {
    let value: unknown;
    let failure: Failure | undefined;
    try {
      value = await this.#run(id, call);
    } catch (thrown) {
      failure = flatten(thrown);
    }
    const transfer = call.on === 'reader' && call.name === 'fetch' ? buffersOf(value) : [];
    this.#port.postMessage({ kind: 'answer', id, value, failure }, transfer);
  }

  async #run(id: number, call: Call): Promise<unknown> {
    if (call.on === 'log') {
      if (call.name === 'hello') return { capabilities: this.#log.capabilities, address: this.#log.address };
      if (call.name === 'close') return this.#end();
      return this.#log.committed(...call.args);
    }
    if (call.on === 'admin') {
      const method = this.#log.admin[call.name] as (...args: readonly unknown[]) => Promise<unknown>;
      return method.apply(this.#log.admin, [...call.args]);
    }
    if (call.on === 'reader') {
      if (call.name === 'fetch') return this.#fetch(id, call.handle, call.maxWaitMs);
      return this.#readers.get(call.handle)?.close();
    }
    if (call.on === 'member') {
      if (call.name === 'join') return this.#join(call.handle, call.options);
      return this.#members.get(call.handle)?.leave(call.forGood);
    }
    if (call.name === 'open') {
      const producer = await this.#log.producer(call.args[0] as ProducerOptions);
      // The other side may have gone while it was opened.
      if (this.#ended !== undefined) await producer.close();
      this.#producers.set(call.handle, producer);
      return undefined;
    }
    return this.#produce(this.#producers.get(call.handle)!, call.name, call.args);
  }

  #produce(producer: LogProducer, name: ProducerCall, args: readonly unknown[]) {
    if (name === 'append')
      return producer.append(args[0] as string, args[1] as number, asBuffer(args[2] as Uint8Array));
    if (name === 'sendPositions') return producer.sendPositions(...(args as Parameters<LogProducer['sendPositions']>));
    return producer[name]();
  }

  async #fetch(id: number, handle: number, maxWaitMs: number): Promise<readonly FetchedData[]> {
    const stop = new AbortController();
    this.#fetches.set(id, stop);
    try {
      const answer = await this.#readers.get(handle)!.fetch(maxWaitMs, stop.signal);
      return answer.map((fetched) => {
        // The buffer may belong to the driver's pool; a copy can be given away.
        const bytes = Buffer.allocUnsafeSlow(fetched.bytes.length);
        fetched.bytes.copy(bytes);
        fetched.release();
        const { topic, partition, starts, ends, position, next, end } = fetched;
        return { topic, partition, starts, ends, position, next, end, bytes };
      });
    } finally {
      this.#fetches.delete(id);
    }
  }

  async #join(handle: number, options: JoinOptions): Promise<unknown> {
    const member = await this.#log.join({
      ...options,
      assign: (members) => this.#ask(handle, (ask) => ({ name: 'assign', ask, members })),
      onAssign: (assignment) => this.#event(handle, { name: 'onAssign', assignment }),
      onRevoke: (tasks) => this.#ask(handle, (ask) => ({ name: 'onRevoke', ask, tasks })),
      onRenew: (identity) => this.#event(handle, { name: 'onRenew', identity }),
      onLost: (reason, replaced) => this.#event(handle, { name: 'onLost', reason, replaced }),
    });
    if (this.#ended !== undefined) await member.leave();
    this.#members.set(handle, member);
    return undefined;
  }

  #tellMember(tell: Extract<Tell, { on: 'member' }>): void {
    const member = this.#members.get(tell.handle);
    if (tell.name === 'describe') member?.describe(tell.metadata);
    else member?.rejoin(...tell.args);
  }

  #tell(tell: Tell): void {
    if (tell.on === 'producer') this.#begin(tell.handle);
    else if (tell.on === 'member') this.#tellMember(tell);
    else if (tell.name === 'open') this.#readers.set(tell.handle, this.#log.reader(...tell.args));
    else {
      const reader = this.#readers.get(tell.handle);
      const method = reader?.[tell.name] as ((...args: unknown[]) => void) | undefined;
      method?.apply(reader, [...tell.args]);
    }
  }

  #begin(handle: number): void {
    try {
      this.#producers.get(handle)?.begin();
    } catch {
      // A producer that cannot begin, since it was fenced or closed, refuses the next call too, with the reason.
    }
  }

  #event(handle: number, event: EventMessage['event']): void {
    this.#port.postMessage({ kind: 'event', handle, event });
  }

  #ask<T>(handle: number, event: (ask: number) => EventMessage['event']): Promise<T> {
    const ask = ++this.#asks;
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(ask, { resolve: resolve as (value: unknown) => void, reject });
      this.#event(handle, event(ask));
    });
  }

  #end(): Promise<void> {
    this.#ended ??= this.#release();
    return this.#ended;
  }

  async #release(): Promise<void> {
    for (const fetch of this.#fetches.values()) fetch.abort();
    for (const asked of this.#asked.values()) asked.reject(new Error('the other side of the port has gone'));
    await Promise.allSettled([
      ...[...this.#readers.values()].map((reader) => reader.close()),
      ...[...this.#producers.values()].map((producer) => producer.close()),
      ...[...this.#members.values()].map((member) => member.leave()),
    ]);
  }
}

function buffersOf(answer: unknown): ArrayBuffer[] {
  if (!Array.isArray(answer)) return [];
  return answer.map((fetched: { readonly bytes: Buffer<ArrayBuffer> }) => fetched.bytes.buffer);
}

import type { MessagePort } from 'node:worker_threads';
import { FlowError } from '../../core/errors.ts';
import type {
  Fetched,
  GroupMember,
  Log,
  LogAdmin,
  LogCapabilities,
  LogProducer,
  LogReader,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { PortProducer } from './producer.ts';
import {
  asBuffer,
  type Call,
  type EventMessage,
  type FetchedData,
  flatten,
  type Hello,
  type ReaderTell,
  revive,
  type ServerMessage,
  type Tell,
} from './protocol.ts';

/**
 * The log that `serveLog` offers at the other end of the port, usually in another thread: the same contract, one
 * message a call. Closing it ends what was opened through it; the log itself stays open. Where the log has an address,
 * it is opened anew here instead, with connections of its own.
 */
export async function connectLog(port: MessagePort): Promise<Log> {
  const connection = new Connection(port);
  const { capabilities, address } = (await connection.call({ on: 'log', name: 'hello' })) as Hello;
  if (address === undefined) return new PortLog(connection, capabilities);
  if (address.driver === 'kafkajs') return (await import('../kafkajs/kafkajs.ts')).reopenKafkaJsLog(address);
  return (await import('../kafka/kafka.ts')).reopenKafkaLog(address);
}

/** Calls under way, and the callbacks of members. */
export class Connection {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(failure: Error): void }>();
  readonly #members = new Map<number, (event: EventMessage['event']) => unknown>();
  #nextCall = 0;
  #nextHandle = 0;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ServerMessage) => this.#take(message));
    port.on('close', () => this.#end());
  }

  handle(): number {
    return ++this.#nextHandle;
  }

  check(): void {
    if (this.#closed) throw new FlowError('log.closed', 'the log was closed, or its thread has ended');
  }

  call(call: Call, transfer: readonly ArrayBuffer[] = [], signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.check();
      const id = ++this.#nextCall;
      const cancel = () => this.#port.postMessage({ kind: 'cancel', id });
      const done = () => signal?.removeEventListener('abort', cancel);
      this.#calls.set(id, {
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (failure) => {
          done();
          reject(failure);
        },
      });
      this.#port.postMessage({ kind: 'call', id, call }, transfer);
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  tell(tell: Tell): void {
    this.check();
    this.#port.postMessage({ kind: 'tell', tell });
  }

  onEvent(handle: number, listener: (event: EventMessage['event']) => unknown): void {
    this.#members.set(handle, listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.call({ on: 'log', name: 'close' }).catch(() => undefined);
    this.#end();
    this.#port.close();
  }

  #take(message: ServerMessage): void {
    if (message.kind === 'event') {
      void this.#event(message);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.failure === undefined) call?.resolve(message.value);
    else call?.reject(revive(message.failure));
  }

  async #event({ handle, event }: EventMessage): Promise<void> {
    let value: unknown;
    let failure: ReturnType<typeof flatten> | undefined;
    try {
      value = await this.#members.get(handle)?.(event);
    } catch (thrown) {
      failure = flatten(thrown);
    }
    if ('ask' in event) this.#port.postMessage({ kind: 'reply', id: event.ask, value, failure });
  }

  #end(): void {
    this.#closed = true;
    for (const call of this.#calls.values())
      call.reject(new FlowError('log.closed', 'the thread of the log has ended'));
    this.#calls.clear();
  }
}

class PortLog implements Log {
  readonly capabilities: LogCapabilities;
  readonly admin: LogAdmin;
  readonly #connection: Connection;

  constructor(connection: Connection, capabilities: LogCapabilities) {
    this.#connection = connection;
    this.capabilities = capabilities;
    this.admin = remoteAdmin(connection);
  }

  reader(options: ReaderOptions): LogReader {
    return new PortReader(this.#connection, options);
  }

  async producer(options: ProducerOptions): Promise<LogProducer> {
    const handle = this.#connection.handle();
    await this.#connection.call({ on: 'producer', handle, name: 'open', args: [options] });
    return new PortProducer(this.#connection, handle, options.transactionalId);
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    const connection = this.#connection;
    const handle = connection.handle();
    let identity = { group: options.group, member: '', generation: -1 };
    const { assign, onAssign, onRevoke, onRenew, onLost, ...wanted } = options;
    connection.onEvent(handle, (event) => {
      if (event.name === 'assign') return assign(event.members);
      if (event.name === 'onRevoke') return onRevoke(event.tasks);
      if (event.name === 'onRenew') return onRenew?.(event.identity);
      if (event.name === 'onLost') return onLost(event.reason, event.replaced);
      const { group, member, generation } = event.assignment;
      identity = { group, member, generation };
      return onAssign(event.assignment);
    });
    await connection.call({ on: 'member', handle, name: 'join', options: wanted });
    return {
      get identity() {
        return identity;
      },
      describe: (changed) => connection.tell({ on: 'member', handle, name: 'describe', metadata: changed }),
      rejoin: (...args) => connection.tell({ on: 'member', handle, name: 'rejoin', args }),
      leave: async (forGood) => void (await connection.call({ on: 'member', handle, name: 'leave', forGood })),
    };
  }

  async committed(...args: Parameters<Log['committed']>): ReturnType<Log['committed']> {
    const answer = await this.#connection.call({ on: 'log', name: 'committed', args });
    return answer as Awaited<ReturnType<Log['committed']>>;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

class PortReader implements LogReader {
  readonly #connection: Connection;
  readonly #handle: number;

  constructor(connection: Connection, options: ReaderOptions) {
    this.#connection = connection;
    this.#handle = connection.handle();
    connection.tell({ on: 'reader', handle: this.#handle, name: 'open', args: [options] });
  }

  assign(...args: Parameters<LogReader['assign']>): void {
    this.#tell('assign', args);
  }

  unassign(...args: Parameters<LogReader['unassign']>): void {
    this.#tell('unassign', args);
  }

  pause(...args: Parameters<LogReader['pause']>): void {
    this.#tell('pause', args);
  }

  resume(...args: Parameters<LogReader['resume']>): void {
    this.#tell('resume', args);
  }

  async fetch(maxWaitMs: number, signal?: AbortSignal): Promise<readonly Fetched[]> {
    const answer = await this.#connection.call(
      { on: 'reader', handle: this.#handle, name: 'fetch', maxWaitMs },
      [],
      signal,
    );
    return (answer as readonly FetchedData[]).map((fetched) => ({
      ...fetched,
      bytes: asBuffer(fetched.bytes),
      release: () => undefined,
    }));
  }

  async close(): Promise<void> {
    await this.#connection.call({ on: 'reader', handle: this.#handle, name: 'close' });
  }

  #tell(name: ReaderTell, args: readonly unknown[]): void {
    this.#connection.tell({ on: 'reader', handle: this.#handle, name, args });
  }
}

function remoteAdmin(connection: Connection): LogAdmin {
  const remote =
    (name: keyof LogAdmin) =>
    (...args: readonly unknown[]) =>
      connection.call({ on: 'admin', name, args }) as Promise<never>;
  return {
    create: remote('create'),
    describe: remote('describe'),
    list: remote('list'),
    delete: remote('delete'),
    alter: remote('alter'),
    deleteRecords: remote('deleteRecords'),
    bounds: remote('bounds'),
    positionSince: remote('positionSince'),
    groups: remote('groups'),
    deleteGroup: remote('deleteGroup'),
    setPositions: remote('setPositions'),
  };
}

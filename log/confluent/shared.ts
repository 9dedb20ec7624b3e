import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import { finalFailure } from './failures.ts';
import { type Config, call, type Done, type Library, type LibraryError } from './library.ts';

interface Connects {
  connect(options: { readonly timeout: Millis }, done: Done<unknown>): void;
  on(event: 'event.error', listener: (failure: LibraryError) => void): void;
}

/** What all parts of the driver share. */
export class Shared {
  readonly library: Library;
  readonly config: Config;
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly patienceMs: Millis;
  readonly closing: AbortSignal;

  constructor(parts: Omit<Shared, 'check' | 'connect'>) {
    this.library = parts.library;
    this.config = { 'client.id': parts.clientId, ...parts.config };
    this.clientId = parts.clientId;
    this.clock = parts.clock;
    this.random = parts.random;
    this.patienceMs = parts.patienceMs;
    this.closing = parts.closing;
  }

  check(): void {
    if (this.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }

  /** Connects a client of the library. Its own errors pass by themselves, or come with what was asked. */
  async connect<T extends Connects>(client: T): Promise<T> {
    client.on('event.error', () => undefined);
    try {
      await call<unknown>((done) => client.connect({ timeout: this.patienceMs }, done));
    } catch (thrown) {
      throw finalFailure(thrown, 'connecting');
    }
    return client;
  }
}

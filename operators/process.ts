import { type Duration, millis } from '../core/duration.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { NodeOf, StoreKind } from '../topology/plan.ts';
import { createFixedCheck } from './functions.ts';
import { createKeyValueStore, type KeyValueStore } from './key-value-store.ts';
import type { MailboxOwner } from './mailbox.ts';
import { NO_ALARM, type OperatorContext, type OperatorFactory, type Push } from './operators.ts';
import { Rec } from './record.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';
import type { RecordAtHand } from './typed-rows.ts';
import { createVersionedStore, type VersionedStore } from './versioned-store.ts';
import { createWindowStore, type WindowStore } from './window-store.ts';

/**
 * A user operator, one instance a task. It remembers in its stores only: a record may run again after a cold read,
 * and what its stores, timers and `forward` did is then undone, but not its own fields.
 */
export interface Processor<K, V, K2, V2> {
  /** Called once, before anything else: the place to register timers. Stores may not be read yet. */
  init?(context: ProcessContext<K2, V2>): void;
  /** Key and value are valid during the call; to keep one, copy it (`toPlain`). */
  process(value: V, key: K, context: ProcessContext<K2, V2>): void;
  /** Called once, when the task ends, moves elsewhere, or goes back to its last commit; another instance may follow. */
  close?(): void;
}

export type ProcessorSupplier<K, V, K2, V2> = () => Processor<K, V, K2, V2>;

export interface ProcessContext<K, V> {
  /** Passes a record on, all the way down before it returns; without a time, with that of the record at hand. */
  forward(key: K, value: V, timestamp?: Millis): void;
  /** A store that the node has named in `stores`. */
  store<SK, SV>(name: string): KeyValueStore<SK, SV>;
  windowStore<SK, SV>(name: string): WindowStore<SK, SV>;
  sessionStore<SK, SV>(name: string): SessionStore<SK, SV>;
  versionedStore<SK, SV>(name: string): VersionedStore<SK, SV>;
  /**
   * Calls `fire` again and again, between records. By stream time: at the first record, then when stream time passes
   * the next multiple of the interval; a jump fires once. By wall clock: first after one interval; late ones fire once.
   */
  schedule(interval: Duration, time: 'stream' | 'wall', fire: (at: Millis) => void): void;
  /**
   * A timer by the wall clock that fires once, when the time comes that it was set to last; a task that has set none is
   * not woken. To be made in `init`.
   */
  alarm(fire: (at: Millis, due: Millis) => void): Alarm;
  /** For messages from within the process, beside the records; see `mailbox.ts`. To be asked for in `init`. */
  mailbox<M>(owner: MailboxOwner<M>): void;
  /** Which of the operator's tasks this is: it takes this partition of each topic that it reads. */
  readonly partition: number;
  /** Of the record at hand; of a timer, the time it fires at; of a message, that it was posted with. */
  readonly timestamp: Millis;
  /** The largest time of any record that the task has taken; -1 before the first. */
  readonly streamTime: Millis;
}

/** When it fires next is committed and restored like a store. */
export interface Alarm {
  /** `undefined`: it fires no more. */
  readonly due: Millis | undefined;
  /** Fires at this time, or at once where it is past. */
  set(due: Millis | undefined): void;
}

type AnyProcessor = Processor<unknown, unknown, unknown, unknown>;

export const createProcess: OperatorFactory<'process'> = (node, context, [next]) => {
  const processor = context.fn<() => AnyProcessor>('supplier', node.supplier)();
  const lent = new LentContext(node, context, next);
  processor.init?.(lent);
  return {
    inputs: [
      (record) => {
        lent.take(record);
        processor.process(record.value, record.key, lent);
      },
    ],
    close: () => processor.close?.(),
  };
};

const NO_RECORD = new Rec();

class LentContext implements ProcessContext<unknown, unknown>, RecordAtHand {
  timestamp: Millis = 0;
  readonly #node: NodeOf<'process'>;
  readonly #context: OperatorContext;
  readonly #next: Push;
  readonly #out = new Rec();
  readonly #stores = new Map<string, unknown>();
  readonly #isFixed = createFixedCheck();
  #record = NO_RECORD;
  #timers = 0;

  constructor(node: NodeOf<'process'>, context: OperatorContext, next: Push) {
    this.#node = node;
    this.#context = context;
    this.#next = next;
  }

  get streamTime(): Millis {
    return this.#context.streamTime.value;
  }

  get partition(): number {
    return this.#context.partition;
  }

  take(record: Rec): void {
    this.#record = record;
    this.timestamp = record.timestamp;
  }

  forward(key: unknown, value: unknown, timestamp: Millis = this.timestamp): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw new FlowError(
        'record.failed',
        `${this.#node.id} forwards a record with time ${timestamp}: give whole milliseconds from 0 on`,
      );
    }
    const out = this.#out;
    const record = this.#record;
    if (key === record.key && this.#isFixed(key)) out.takeKey(record);
    else {
      out.takeOrigin(record);
      out.setKey(key);
    }
    out.timestamp = timestamp;
    out.setValue(value);
    this.#next(out);
  }

  store<K, V>(name: string): KeyValueStore<K, V> {
    return this.#open(name, 'key-value', createKeyValueStore<K, V>);
  }

  windowStore<K, V>(name: string): WindowStore<K, V> {
    return this.#open(name, 'window', createWindowStore<K, V>);
  }

  sessionStore<K, V>(name: string): SessionStore<K, V> {
    return this.#open(name, 'session', createSessionStore<K, V>);
  }

  versionedStore<K, V>(name: string): VersionedStore<K, V> {
    return this.#open(name, 'versioned', createVersionedStore<K, V>);
  }

  late(): void {
    this.#context.drop('late', this.#record);
  }

  schedule(interval: Duration, time: 'stream' | 'wall', fire: (at: Millis) => void): void {
    const ms = millis(interval, `the interval of a timer of ${this.#node.id}`);
    if (ms === 0) throw new FlowError('plan.invalid', `a timer of ${this.#node.id} has interval 0: give at least 1 ms`);
    this.#context.schedule(String(this.#timers++), ms, time, (at) => {
      this.#record = NO_RECORD;
      this.timestamp = at;
      fire(at);
    });
  }

  alarm(fire: (at: Millis, due: Millis) => void): Alarm {
    const next = this.#context.alarm(String(this.#timers++), (at, due) => {
      this.#record = NO_RECORD;
      this.timestamp = at;
      fire(at, due);
    });
    return {
      get due() {
        return next.value === NO_ALARM ? undefined : next.value;
      },
      set: (due) => {
        if (due !== next.value) next.set(due ?? NO_ALARM);
      },
    };
  }

  mailbox<M>(owner: MailboxOwner<M>): void {
    this.#context.mailbox({
      opened: (mailbox) => owner.opened(mailbox),
      closed: () => owner.closed(),
      take: (message, at) => {
        this.#record = NO_RECORD;
        this.timestamp = at;
        owner.take(message as M, at);
      },
      refuse: (message) => owner.refuse(message as M),
      ...(owner.committed === undefined ? {} : { committed: (message) => owner.committed!(message as M) }),
    });
  }

  #open<S>(
    name: string,
    kind: StoreKind,
    create: (context: OperatorContext, name: string, record: RecordAtHand) => S,
  ): S {
    const open = this.#stores.get(name) as S | undefined;
    if (open !== undefined) return open;
    if (!this.#node.stores.includes(name)) {
      throw new FlowError('plan.invalid', `${this.#node.id} uses store ${name}: name it in the \`stores\` of the node`);
    }
    const { kind: have } = this.#context.storeSerdes(name);
    if (have !== kind) {
      throw new FlowError('plan.invalid', `${this.#node.id} opens store ${name} as ${kind}: it is a ${have} store`);
    }
    const store = create(this.#context, name, this);
    this.#stores.set(name, store);
    return store;
  }
}

export type { KeyValueStore } from './key-value-store.ts';
export type { Session, SessionStore } from './session-store.ts';
export type { Version, VersionedStore } from './versioned-store.ts';
export type { WindowStore } from './window-store.ts';

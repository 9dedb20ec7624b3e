import type { Json, Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';

/** A task that wants a slot, or has one. */
export interface Holder {
  readonly execution: string;
  readonly node: number;
  readonly iteration: string;
}

export interface Wanted extends Holder {
  readonly attempt: number;
  readonly pool: string;
  readonly priority: number;
  readonly deadline: Millis | null;
  readonly since: Millis;
}

export interface Granted extends Holder {
  readonly attempt: number;
}

/** The row of a task: in the queue under this key, or, without one, in a slot of the pool. */
export interface Place {
  readonly pool: string;
  readonly attempt: number;
  readonly key: string | null;
  /** The process that calls it. Not there: none does, or one has left it, or it was granted before this was kept. */
  readonly by?: string;
}

/** Nobody in the queue stands before `first`. */
type Counts = readonly [taken: number, waiting: number, first: string];

const SEPARATOR = '\0';
const LATEST = 9_999_999_999_999;

/**
 * Slots of a partition, by pool, and the queue of those who wait for one: by priority, then deadline, then since when.
 * A slot is given back in the step in which its task ends, and to one waiter only.
 *
 *     \0 S <pool>                                         how many slots are taken, how many wait, where the first stands
 *     \0 R <pool> \0 <priority> <deadline> <since> ...    who waits, in order
 *     \0 L <execution> \0 <node> \0 <iteration>           the place of a task
 */
export class Slots {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete' | 'range'>;
  readonly #limit: (pool: string) => number;
  readonly #process: string;

  /** `process`: who calls what is granted here. */
  constructor(store: KeyValueStore<string, Json>, limit: (pool: string) => number, process: string) {
    this.#store = store;
    this.#limit = limit;
    this.#process = process;
  }

  /** Undefined where it has no slot. */
  granted(holder: Granted): Place | undefined {
    const place = this.#store.get(placeName(holder)) as unknown as Place | undefined;
    return place !== undefined && place.attempt === holder.attempt && place.key === null ? place : undefined;
  }

  /** Of what has a slot. */
  setCaller(holder: Granted, by: string | undefined): void {
    const place = this.granted(holder);
    if (place === undefined || place.by === by) return;
    const { pool, attempt, key } = place;
    this.#putPlace(holder, by === undefined ? { pool, attempt, key } : { pool, attempt, key, by });
  }

  /** True: it has a slot at once. Else it waits, and {@link next} tells its turn. */
  ask(wanted: Wanted): boolean {
    this.release(wanted);
    const { pool, attempt } = wanted;
    const [taken, waiting, first] = this.#counts(pool);
    if (waiting === 0 && taken < this.#limit(pool)) {
      this.#putCounts(pool, taken + 1, 0, '');
      this.#putPlace(wanted, { pool, attempt, key: null, by: this.#process });
      return true;
    }
    const key = queueKey(wanted);
    this.#store.put(key, 0);
    this.#putCounts(pool, taken, waiting + 1, waiting === 0 || key < first ? key : first);
    this.#putPlace(wanted, { pool, attempt, key });
    return false;
  }

  /** Gives back its slot or its place in the queue; answers the pool in which a slot is free now. */
  release(holder: Holder): string | undefined {
    const name = placeName(holder);
    const place = this.#store.get(name) as unknown as Place | undefined;
    if (place === undefined) return undefined;
    this.#store.delete(name);
    const [taken, waiting, first] = this.#counts(place.pool);
    if (place.key !== null) {
      this.#store.delete(place.key);
      this.#putCounts(place.pool, taken, waiting - 1, first);
      return undefined;
    }
    this.#putCounts(place.pool, taken - 1, waiting, first);
    return waiting > 0 ? place.pool : undefined;
  }

  /** Gives a free slot of the pool to whose turn it is. */
  next(pool: string): Granted | undefined {
    const [taken, waiting, first] = this.#counts(pool);
    if (waiting === 0 || taken >= this.#limit(pool)) return undefined;
    // not from the start of the queue, where rows lie that are gone
    for (const [key] of this.#store.range(first, `${SEPARATOR}R${pool}${SEPARATOR}\uffff`)) {
      const [, , , execution, node, iteration, attempt] = key.split(SEPARATOR) as string[];
      const granted = { execution: execution!, node: Number(node), iteration: iteration!, attempt: Number(attempt) };
      this.#store.delete(key);
      this.#putCounts(pool, taken + 1, waiting - 1, waiting === 1 ? '' : key);
      this.#putPlace(granted, { pool, attempt: granted.attempt, key: null, by: this.#process });
      return granted;
    }
    return undefined;
  }

  #counts(pool: string): Counts {
    return (this.#store.get(`${SEPARATOR}S${pool}`) ?? [0, 0, '']) as unknown as Counts;
  }

  #putCounts(pool: string, taken: number, waiting: number, first: string): void {
    this.#store.put(`${SEPARATOR}S${pool}`, [taken, waiting, waiting === 0 ? '' : first]);
  }

  #putPlace(holder: Holder, place: Place): void {
    this.#store.put(placeName(holder), place as unknown as Json);
  }
}

/** A task that has ended, or waits for another attempt, gives back its slot in the step that says so. */
export function* holdersOver({ execution, events }: StepRecord, graph: Graph): Iterable<Holder> {
  for (const event of events) {
    if (event.type !== 'node' || event.to === 'RUNNING' || event.to === 'QUEUED') continue;
    if (event.from !== 'RUNNING' && event.from !== 'QUEUED') continue;
    const kind = graph.nodes[event.node]?.type.behaviour.kind;
    if (kind === 'task' || kind === 'operator') yield { execution, node: event.node, iteration: event.iteration };
  }
}

/** The row that tells whether a task is queued or has a slot. */
export function placeName({ execution, node, iteration }: Holder): string {
  return `${SEPARATOR}L${execution}${SEPARATOR}${node}${SEPARATOR}${iteration}`;
}

/** Higher priorities first. */
function queueKey({ pool, priority, deadline, since, execution, node, iteration, attempt }: Wanted): string {
  const order = [9 - Math.min(9, Math.max(0, priority)), pad(deadline ?? LATEST), pad(since)].join('.');
  return [`${SEPARATOR}R${pool}`, order, execution, node, iteration, attempt].join(SEPARATOR);
}

function pad(value: Millis): string {
  return String(Math.min(LATEST, Math.max(0, value))).padStart(13, '0');
}

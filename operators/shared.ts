import type { Serde } from '../schemas/schemas.ts';

const SHARED = new WeakMap<Serde<unknown>, Map<string, unknown>>();

/**
 * The view or row accessor of a format by which all tasks of a thread show values at one place of a plan, in this run
 * of the application and the next; `place` names it, as a node's id and what is shown there. Such an object is valid
 * only during the call it was handed to, and tasks run one record at a time, so they need no more; and code that reads
 * the fields of one object stays as fast with a hundred partitions as with one.
 */
export function shared<T>(serde: Serde<unknown>, place: string, make: () => T): T {
  let known = SHARED.get(serde);
  if (known === undefined) {
    known = new Map();
    SHARED.set(serde, known);
  }
  let made = known.get(place) as T | undefined;
  if (made === undefined) {
    made = make();
    known.set(place, made);
  }
  return made;
}

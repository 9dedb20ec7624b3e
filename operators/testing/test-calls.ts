import type { Step } from '../../core/step.ts';
import type { CallSettings } from '../../topology/plan.ts';
import type { Call, Caller, CallResults } from '../calls.ts';

/** The calls of a task on the bench: each is on its way until it is told to end, and then is made, at once. */
export class TestCalls {
  /** The operator that gave up the step rolled back last. */
  blocked: CallResults | undefined;
  readonly #step: Step;
  readonly #lanes: Lane[] = [];

  readonly #nextCall: ((open: number) => number) | undefined;

  constructor(step: Step, nextCall?: (open: number) => number) {
    this.#step = step;
    this.#nextCall = nextCall;
  }

  add(settings: CallSettings, results: CallResults): Caller {
    const lane: Lane = { settings, results, calls: [] };
    this.#lanes.push(lane);
    return {
      start: (call) => lane.calls.push(call),
      waitFor: () => {
        this.blocked = results;
        return this.#step.miss();
      },
      now: () => 0,
    };
  }

  get ready(): CallResults | undefined {
    return this.#lanes.find(({ results }) => results.ready)?.results;
  }

  /** Calls on their way. */
  get open(): number {
    return this.#lanes.reduce((sum, { settings, calls }) => sum + Math.min(settings.concurrency, calls.length), 0);
  }

  /** Ends a call if one is on its way, and it is time or `must` says so. */
  endNext(must: boolean): boolean {
    const { open } = this;
    if (open === 0) return false;
    const place = this.#nextCall?.(open) ?? 0;
    if (place < 0 && !must) return false;
    this.#end(Math.max(0, place));
    return true;
  }

  /** Ends the call of this place among those on their way. */
  #end(place: number): void {
    let at = place;
    for (const { settings, calls } of this.#lanes) {
      const open = Math.min(settings.concurrency, calls.length);
      if (at < open) {
        makeCall(calls.splice(at, 1)[0]!, settings);
        return;
      }
      at -= open;
    }
  }
}

interface Lane {
  readonly settings: CallSettings;
  readonly results: CallResults;
  readonly calls: Call[];
}

function makeCall(call: Call, { attempts }: CallSettings): void {
  for (let attempt = 1; ; attempt++) {
    try {
      call.done(call.begin(attempt, new AbortController().signal));
      return;
    } catch (thrown) {
      if (attempt < attempts) continue;
      call.failed(thrown);
      return;
    }
  }
}

import type { Settling, Step } from '../core/step.ts';
import type { DropReason } from '../operators/operators.ts';
import type { Counter, Telemetry } from '../telemetry/telemetry.ts';

/** Counts of records that went no further, per node and reason; a step that is undone counts nothing. */
class DropCounter implements Settling {
  readonly #counter: Counter;
  readonly #step: Step;
  #touchedIn = -1;
  #pending = 0;

  constructor(counter: Counter, step: Step) {
    this.#counter = counter;
    this.#step = step;
  }

  add(): void {
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#pending = 0;
      this.#step.touchSettling(this);
    }
    this.#pending++;
  }

  rollback(): void {
    this.#pending = 0;
  }

  settle(): void {
    this.#counter.value += this.#pending;
  }
}

export class Drops {
  readonly #telemetry: Telemetry;
  readonly #step: Step;
  readonly #task: string;
  readonly #counters = new Map<string, DropCounter>();

  constructor(telemetry: Telemetry, step: Step, task: string) {
    this.#telemetry = telemetry;
    this.#step = step;
    this.#task = task;
  }

  add(node: string, reason: DropReason): void {
    const name = `${node} ${reason}`;
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      const labels = { task: this.#task, node, reason };
      const help = 'Records that went no further, by node and reason.';
      counter = new DropCounter(this.#telemetry.counter('nodeflow_dropped_records_total', help, labels), this.#step);
      this.#counters.set(name, counter);
    }
    counter.add();
  }
}

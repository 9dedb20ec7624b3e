import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { KeptNumber } from '../operators/operators.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { TaskState } from '../state/state.ts';
import type { Failures } from './failures.ts';
import { ScanRequests } from './scan-requests.ts';
import { Task } from './task.ts';
import { TASK_TIME, type TimeVector } from './time-vectors.testing.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';

/** The engine waits for what is known to come and never for what may, and it asks for the ends before it begins. */
const OTHER_SETTINGS = ['pg-idle-disabled', 'pg-idle-unknown', 'pg-idle-zero-lag'];

class Plain implements KeptNumber {
  value: number;

  constructor(value: number) {
    this.value = value;
  }

  set(value: number): void {
    this.value = value;
  }
}

class Bench {
  readonly taken: { from: string; ts: number }[] = [];
  readonly streamTime: Plain;
  readonly task: Task;
  readonly #inputs = new Map<string, TopicInput>();
  readonly #next = new Map<string, number>();

  constructor({ script }: TimeVector) {
    const step = new Step();
    const committed = script.find((each) => each.committed !== undefined)?.committed ?? {};
    this.streamTime = new Plain(Math.max(-1, ...Object.values(committed)));
    const lags = script.find(({ lag }) => lag !== undefined)?.lag ?? {};
    for (const topic of ['P1', 'P2']) {
      const [key, value] = [string(), int64()];
      const input: TopicInput = new TopicInput({
        ...{ topic, partition: 0, node: topic, position: 0, known: lags[topic] ?? 0, key, value },
        ...{ keyView: key.view(), valueView: value.view(), time: undefined, screen: undefined, alone: false },
        pass: undefined,
        push: ({ timestamp }) => this.taken.push({ from: topic, ts: timestamp }),
      });
      this.#inputs.set(topic, input);
    }
    this.task = new Task({
      ...{ id: 't', step, inputs: [...this.#inputs.values()], operators: [], scans: new ScanRequests(step) },
      ...{ streamTime: this.streamTime, timers: new Timers(this.streamTime), outputs: { full: false } },
      ...{ counts: new Float64Array(0), flush: () => undefined, state: {} as TaskState, failures: {} as Failures },
    });
  }

  add(topic: string, times: readonly number[]): void {
    const builder = new BatchBuilder(new Step());
    const bytes = Buffer.alloc(8);
    for (const at of times) builder.append(at, bytes, -1, -1, bytes, 0, 8);
    const batch = builder.finish();
    const position = this.#next.get(topic) ?? 0;
    batch.writeBigInt64BE(BigInt(position));
    const next = position + times.length;
    this.#next.set(topic, next);
    this.#inputs.get(topic)!.offer({
      ...{ topic, partition: 0, bytes: batch, starts: [0], ends: [batch.length], position, next },
      ...{ end: next, release: () => undefined },
    });
  }
}

for (const vector of TASK_TIME.filter(({ id }) => !OTHER_SETTINGS.includes(id))) {
  test(`${vector.id}: ${vector.title}`, () => {
    const bench = new Bench(vector);
    for (const { add = {}, ready, poll, streamTime } of vector.script) {
      for (const [topic, times] of Object.entries(add)) bench.add(topic, times);
      if (streamTime !== undefined) assert.equal(bench.streamTime.value, streamTime);
      if (poll !== undefined) {
        bench.task.run(1);
        assert.deepEqual(bench.taken.splice(0), [{ from: poll.from, ts: poll.ts }]);
        if (poll.streamTime !== undefined) assert.equal(bench.streamTime.value, poll.streamTime);
      }
      if (ready === false) {
        assert.equal(bench.task.run(1), 'idle');
        assert.deepEqual(bench.taken, []);
      }
    }
  });
}

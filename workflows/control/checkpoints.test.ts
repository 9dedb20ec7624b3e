import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { fault, Harness } from '../lifecycle/testing/harness.ts';
import { createLanguage, NodeFailure, openWorkflows } from '../workflows.ts';
import { document, numberType } from './testing/small-documents.ts';

/** Ten parts, each of which is a checkpoint; it hangs or fails behind the seventh, the first time. */
class Parts {
  readonly done: number[] = [];
  readonly seen: unknown[] = [];
  readonly #trouble: 'hangs' | 'fails';
  hangs = false;

  constructor(trouble: 'hangs' | 'fails') {
    this.#trouble = trouble;
  }

  readonly type = numberType('parts', {
    kind: 'task',
    run: async (_, __, { resume, checkpoint, signal }) => {
      const isFirst = this.seen.length === 0;
      this.seen.push(resume);
      const first = resume === undefined ? 1 : resume.number + 1;
      for (let part = first; part <= 10; part++) {
        this.done.push(part);
        await checkpoint(part, { upTo: part });
        if (part < 7 || !isFirst) continue;
        if (this.#trouble === 'fails') throw new NodeFailure('TRANSIENT', 'busy', 'come again');
        this.hangs = true;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        // it was given up, and is told so
        await assert.rejects(checkpoint(part + 1, null), { code: /workflow.stale|stopped/ });
        break;
      }
      return { out: this.done.length };
    },
  });
}

for (const trouble of ['hangs', 'fails'] as const) {
  const what = trouble === 'hangs' ? 'a process that ends' : 'an attempt that fails';
  test(`S9.1.d: behind checkpoint 7 of 10 of ${what}, parts 1 to 7 are not done again`, {
    timeout: 240_000,
  }, async () => {
    const parts = new Parts(trouble);
    const world = {
      log: createMemoryLog({ clock: systemClock, random: seededRandom(1) }),
      ...{ state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
      language: createLanguage({ types: [parts.type] }),
      settings: { partitions: 1 },
    };
    let workflows = await openWorkflows(world);
    await workflows.publish(document('long', [['a', 'parts', { n: 0 }]], []));
    await workflows.start('long', null, { execution: 'x' });
    if (trouble === 'hangs') {
      for (let i = 0; i < 1000 && !parts.hangs; i++) await systemClock.sleep(5);
      await workflows.drain();
      workflows = await openWorkflows(world);
    }
    try {
      const view = await workflows.ended('x');
      assert.deepEqual([view.status, view.output], ['COMPLETED', { a: 10 }]);
      assert.deepEqual(parts.done, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      assert.deepEqual(parts.seen, [undefined, { number: 7, value: { upTo: 7 } }]);
    } finally {
      await workflows.drain();
    }
  });
}

test('S9.1.d: the checkpoint of an attempt that was given up is refused, and says to stop', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task', retry: { maxAttempts: 2 } }], edges: [] });
  world.start();
  world.grant('a');
  const checkpoint = (attempt: number, number: number) =>
    world.send({ type: 'checkpoint', node: 0, iteration: '', attempt, number, value: number });
  checkpoint(1, 7);
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  world.grant('a');
  assert.deepEqual(world.row('a').checkpoint, { number: 7, value: 7 });
  const late = checkpoint(1, 8);
  assert.equal(world.rejection(late), 'workflow.stale');
  assert.match(late.record!.events[0]!.type === 'rejected' ? late.record!.events[0]!.why : '', /too late: stop/);
  assert.deepEqual(world.row('a').checkpoint, { number: 7, value: 7 });
});

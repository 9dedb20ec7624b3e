import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Database } from '../database/database.ts';
import type { NodeStatus, PlacedStep, StepEvent } from '../events/events.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { openProjections, type Projections } from './projections.ts';

/** What every database of the read side has to do. `open` answers an empty one each time. */
export function projectionSuite(name: string, open: () => Promise<Database>): void {
  const opened = (title: string, body: (projections: Projections, database: Database) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const database = await open();
      const projections = await openProjections(database);
      try {
        await body(projections, database);
      } finally {
        await projections.close();
      }
    });

  opened('an execution is a row, from its start to its end', async (projections) => {
    await projections.write([step('a', 1, [started('orders'), node(0, null, 'PENDING')])], [1]);
    assert.deepEqual((await projections.list({})).rows, [
      {
        ...{ id: 'a', workflow: 'orders', version: '1.0.0', status: 'RUNNING', degraded: false, mode: 'realtime' },
        ...{ startedAt: 1001, endedAt: null, user: 'ann', labels: { team: 'x' }, counts: {}, error: null },
      },
    ]);
    await projections.write([step('a', 2, [node(0, 'PENDING', 'COMPLETED'), ended('COMPLETED')])], [2]);
    const [row] = (await projections.list({})).rows;
    assert.deepEqual([row!.status, row!.endedAt, row!.counts], ['COMPLETED', 1002, { COMPLETED: 1 }]);
    assert.deepEqual(await projections.place('a'), { partition: 0, first: 1, last: 2 });
    assert.deepEqual(await projections.cursor(), [2]);
  });

  opened('a batch that comes again changes nothing, whole or cut elsewhere', async (projections) => {
    const steps = history(
      fc.sample(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 30, maxLength: 30 }), {
        seed: 3,
        numRuns: 1,
      })[0]!,
    );
    await projections.write(steps, [steps.length]);
    const once = await projections.list({});
    await projections.write(steps.slice(5), [steps.length]);
    for (const each of steps) await projections.write([each], [each.position + 1]);
    assert.deepEqual(await projections.list({}), once);
    assert.deepEqual(await projections.cursor(), [steps.length], 'the cursor does not go back');
  });

  opened('rows are what the steps come to, however they are cut into batches', async (projections) => {
    const [cuts] = fc.sample(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 60, maxLength: 60 }), {
      seed: 5,
      numRuns: 1,
    });
    const steps = history(
      fc.sample(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 120, maxLength: 120 }), {
        seed: 4,
        numRuns: 1,
      })[0]!,
    );
    for (let i = 0, c = 0; i < steps.length; c++) {
      const part = steps.slice(i, i + cuts![c]!);
      i += part.length;
      await projections.write(part, [i]);
    }
    for (const row of (await projections.list({ limit: 500 })).rows) {
      const due: { [status: string]: number } = {};
      const own = steps.filter(({ record }) => record.execution === row.id);
      for (const { record } of own) {
        for (const event of record.events) {
          if (event.type !== 'node') continue;
          if (event.from !== null && event.from !== 'PENDING') due[event.from] = due[event.from]! - 1;
          if (event.to !== 'PENDING') due[event.to] = (due[event.to] ?? 0) + 1;
        }
      }
      assert.deepEqual(row.counts, Object.fromEntries(Object.entries(due).filter(([, count]) => count > 0)), row.id);
    }
  });

  opened('executions are found by workflow, status, time, labels and words', async (projections) => {
    await projections.write(
      [
        step('a1', 1, [started('orders', { labels: { team: 'x', city: 'Oslo' } })], { at: 10 }),
        step('b2', 1, [started('refunds', { labels: { team: 'x' } })], { at: 20 }),
        step('b2', 2, [ended('FAILED', { message: 'card was declined' })], { at: 25 }),
        step('c3', 1, [started('orders', { labels: { team: 'y' }, user: 'bob' })], { at: 30 }),
        step('c3', 2, [ended('COMPLETED', null, true)], { at: 35 }),
      ],
      [5],
    );
    const ids = async (query: Parameters<Projections['list']>[0]) =>
      (await projections.list(query)).rows.map(({ id }) => id);
    assert.deepEqual(await ids({}), ['c3', 'b2', 'a1']);
    assert.deepEqual(await ids({ workflow: 'orders' }), ['c3', 'a1']);
    assert.deepEqual(await ids({ status: ['FAILED', 'RUNNING'] }), ['b2', 'a1']);
    assert.deepEqual(await ids({ startedAfter: 10, startedBefore: 30 }), ['b2']);
    assert.deepEqual(await ids({ labels: { team: 'x' } }), ['b2', 'a1']);
    assert.deepEqual(await ids({ labels: { team: 'x', city: 'Oslo' } }), ['a1']);
    assert.deepEqual(await ids({ text: 'DECLINED' }), ['b2']);
    assert.deepEqual(await ids({ text: 'bob orders' }), ['c3']);
    assert.deepEqual(await ids({ text: 'oslo' }), ['a1']);
    assert.deepEqual(await ids({ degraded: true }), ['c3']);
    assert.deepEqual(await ids({ text: `'; drop table nf_executions; --` }), []);
    assert.equal((await ids({})).length, 3);
  });

  opened('a list goes on from page to page while executions are added', async (projections) => {
    const begin = (i: number) => step(`e${i}`, 1, [started('orders')], { at: Math.floor(i / 3), position: i });
    await projections.write(
      Array.from({ length: 25 }, (_, i) => begin(i)),
      [25],
    );
    const seen: string[] = [];
    for (let after: string | undefined, i = 25; ; i++) {
      const page = await projections.list({ limit: 4, ...(after === undefined ? {} : { after }) });
      seen.push(...page.rows.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
      await projections.write([begin(i)], [i + 1]);
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.equal(seen.length, 25);
    await assert.rejects(projections.list({ after: 'x' }), { code: 'query.invalid' });
    await assert.rejects(projections.list({ limit: 501 }), { code: 'query.invalid' });
  });

  opened('a start that was rejected is no execution', async (projections) => {
    await projections.write([step('a', 1, [{ type: 'rejected', code: 'workflow.unknown', why: 'x' }])], [1]);
    assert.deepEqual((await projections.list({})).rows, []);
    assert.deepEqual(await projections.cursor(), [1]);
  });

  opened('a batch of which a part cannot be written leaves nothing behind', async (projections) => {
    const odd = step('b', 1, [started('orders', { labels: { zero: 'a\u0000b' } })]);
    await assert.rejects(projections.write([step('a', 1, [started('orders')]), odd], [2]));
    assert.deepEqual((await projections.list({})).rows, []);
    assert.deepEqual(await projections.cursor(), []);
  });

  opened('tables are made once; a migration that was changed, or is not known, is refused', async (_, database) => {
    await migrate(database, MIGRATIONS);
    const [first] = MIGRATIONS;
    const changed = [{ ...first!, statements: [...first!.statements, 'select 1'] }];
    await assert.rejects(migrate(database, changed), {
      code: 'projections.migration',
      message: /not the one that made/,
    });
    await assert.rejects(migrate(database, []), { code: 'projections.migration', message: /newer version/ });
    await migrate(database, [...MIGRATIONS, { name: '2 more', statements: ['create table nf_more (a int)'] }]);
    assert.deepEqual(await database.query('select * from nf_more'), []);
  });
}

interface Place {
  readonly at?: number;
  readonly position?: number;
}

function step(
  execution: string,
  seq: number,
  events: readonly StepEvent[],
  { at = 1000 + seq, position = seq }: Place = {},
): PlacedStep {
  const cause = { kind: 'continue' } as const;
  return { record: { execution, seq, revision: 1, definition: 'h', at, cause, events }, partition: 0, position };
}

function started(workflow: string, over: object = {}): StepEvent {
  return {
    ...{ type: 'started', workflow, version: '1.0.0', input: null, mode: 'realtime', user: 'ann', priority: 5 },
    ...{ deadline: null, labels: { team: 'x' }, idempotencyKey: null, parent: null, selected: null, pins: null },
    ...{ forkOf: null, ...over },
  } as StepEvent;
}

function node(number: number, from: NodeStatus | null, to: NodeStatus): StepEvent {
  return { type: 'node', node: number, iteration: '', attempt: 1, from, to, cause: 'inline' };
}

function ended(
  status: 'COMPLETED' | 'FAILED',
  error: { readonly message: string } | null = null,
  degraded = false,
): StepEvent {
  const info = error === null ? null : ({ class: 'PERMANENT', code: 'x', instance: '/nodes/0', ...error } as const);
  return { type: 'ended', status, degraded, output: null, error: info };
}

/** Executions whose nodes go through their states, interleaved as the numbers say. */
function history(order: readonly number[]): readonly PlacedStep[] {
  const seqs = new Map<number, number>();
  const STATES = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED'] as const;
  return order.map((execution, position) => {
    const seq = (seqs.get(execution) ?? 0) + 1;
    seqs.set(execution, seq);
    const at = (seq - 1) % STATES.length;
    const event = node(Math.floor((seq - 1) / STATES.length), at === 0 ? null : STATES[at - 1]!, STATES[at]!);
    return step(`e${execution}`, seq, seq === 1 ? [started('orders'), event] : [event], { position });
  });
}

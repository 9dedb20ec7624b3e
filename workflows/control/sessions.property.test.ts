import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../core/ids.ts';
import type { SessionEvent } from '../../events/events.ts';
import type { NodeSpec } from '../document.ts';
import { ADD, BREAK, SECOND, SessionDriver, using, WAIT } from './testing/session-driver.ts';

const USERS = ['ann', 'bob', 'zoë/é'];
const child = (workflow: string): NodeSpec => ({
  ...{ id: 'within', type: 'workflow' },
  data: { config: { workflow, input: '= input' } },
});
const DOCUMENTS = [
  using('adding', [ADD, WAIT], [['add', 'wait']]),
  using('quick', [ADD]),
  using(
    'failing',
    [ADD, WAIT, BREAK],
    [
      ['add', 'wait'],
      ['wait', 'break'],
    ],
  ),
  using('twice', [ADD, child('adding')], [['add', 'within']]),
];
/** Within a `try` that takes a while to clean up. */
const CLEANING: readonly NodeSpec[] = [
  { id: 'guard', type: 'try', data: { config: { finally: ['clean'] } } },
  { ...WAIT, parentId: 'guard' },
  { id: 'clean', type: 'delay', parentId: 'guard', data: { config: { for: '3s' } } },
];
DOCUMENTS.push(
  using('cleaning', CLEANING),
  // fails at once when it is told to go, and what it has started has still to clean up
  using('leaving', [child('cleaning'), WAIT, BREAK], [['wait', 'break']]),
);
/** How many items each adds where it is completed. */
const ADDS: { readonly [workflow: string]: number } = { adding: 1, quick: 1, twice: 2 };

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      user: fc.constantFrom(...USERS),
      workflow: fc.constantFrom('adding', 'quick', 'failing', 'twice', 'leaving'),
      deadline: fc.option(fc.integer({ min: 1, max: 30 })),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constantFrom('go' as const, 'go' as const, 'cancel' as const, 'pause' as const, 'resume' as const),
      which: fc.nat({ max: 99 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), user: fc.constantFrom(...USERS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leap' as const), seconds: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'crash' as const, 'restart' as const) }) },
);

interface Started {
  readonly execution: string;
  readonly workflow: string;
  readonly user: string;
}

test('S9.1.c: under crashes and leaps nobody holds a session beside another, and its values are those of a serial run', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), async (actions) => {
      const driver = await SessionDriver.open(...DOCUMENTS);
      const all: Started[] = [];
      for (const each of actions) {
        if (each.do === 'start') {
          const { user, workflow, deadline } = each;
          const execution = `x${all.length}`;
          all.push({ execution, workflow, user });
          const options = deadline === null ? {} : { deadline: driver.now + deadline * SECOND };
          driver.start(execution, workflow, { user, item: execution }, options);
        } else if (each.do === 'clear') driver.clear('cart', each.user);
        else if (each.do === 'leap') driver.advance(each.seconds * SECOND);
        else if (each.do === 'commit') {
          driver.commit();
          for (const { execution } of all) driver.compareRows(execution);
        } else if (each.do === 'crash') await driver.crash();
        else if (each.do === 'restart') await driver.restart();
        else if ('which' in each && all.length > 0) {
          const { execution, workflow } = all[each.which % all.length]!;
          if (each.do === 'cancel') driver.cancel(execution);
          else if (each.do !== 'go') driver.tell(execution, { type: each.do });
          else driver.go(workflow === 'twice' ? `${execution}/within` : execution);
        }
      }
      finish(driver, all);
      for (const user of USERS) checkSession(driver, user, all);
      driver.advance(11 * SECOND);
      driver.settle();
      const left = driver.rows().range('', '\uffff');
      assert.deepEqual(
        left.filter(([key]) => !key.startsWith('\0S')),
        [],
        'rows were left behind',
      );
      assert.equal(driver.timers, 0, 'a timer was left behind');
    }),
    { seed: 9, numRuns: 30 },
  );
});

/** Each is told to go on until all have ended. */
function finish(driver: SessionDriver, all: readonly Started[]): void {
  for (let rounds = 0; ; rounds++) {
    const open = all.filter(({ execution }) => driver.end(execution) === undefined);
    if (open.length === 0) break;
    assert.ok(rounds < 100, `these never end: ${open.map(({ execution }) => execution).join(', ')}`);
    for (const { execution, workflow } of open) {
      driver.tell(execution, { type: 'resume' });
      driver.go(workflow === 'twice' ? `${execution}/within` : execution);
    }
    driver.advance(SECOND);
  }
  driver.advance(3 * SECOND);
}

function checkSession(driver: SessionDriver, user: string, all: readonly Started[]): void {
  const records = driver.of(`session:cart:${encodeURIComponent(user)}`);
  const queue: string[] = [];
  let values: { readonly [key: string]: Json } = {};
  let holder: { readonly execution: string; cleared: boolean } | undefined;
  let expiresAt = 0;
  let freeAt = 0;
  for (const { at, events, cause } of records) {
    for (const event of events as readonly SessionEvent[]) {
      if (event.type === 'session-queued') queue.push(event.execution);
      else if (event.type === 'session-left') queue.splice(queue.indexOf(event.execution), 1);
      else if (event.type === 'session-granted') {
        const { execution } = event;
        assert.equal(holder, undefined, 'two have been granted it');
        assert.ok(all.some((each) => each.execution === execution && each.user === user));
        if (queue.length > 0) assert.equal(queue.shift(), execution, 'in the order in which they asked');
        if (at >= expiresAt) values = {};
        holder = { execution, cleared: false };
        const held = driver.held(execution);
        if (held === undefined) continue;
        assert.deepEqual(held.values, values, `what ${execution} has found`);
        assert.ok(heldAt(driver, execution) >= freeAt, 'another held it then');
      } else if (event.type === 'session-emptied') {
        if (event.why === 'expired') assert.ok(at >= expiresAt && (cause.kind !== 'timer' || cause.due === expiresAt));
        else if (holder !== undefined) holder.cleared = true;
        values = {};
        if (event.why === 'cleared') expiresAt = 0;
      } else if (event.type === 'session-returned') {
        const { execution } = event;
        assert.equal(holder?.execution, execution);
        if (!holder?.cleared) values = after(driver, all.find((each) => each.execution === execution)!, values);
        holder = undefined;
        expiresAt = Math.max(expiresAt, at + 10 * SECOND);
        freeAt = endedAt(driver, execution);
        assert.ok(at >= freeAt);
      }
    }
  }
  assert.equal(holder, undefined, 'somebody holds it for ever');
  assert.deepEqual(driver.session('cart', user)?.values ?? {}, driver.now >= expiresAt ? {} : values);
}

/** What an execution makes of the values, if it is completed. */
function after(
  driver: SessionDriver,
  { execution, workflow }: Started,
  values: { readonly [key: string]: Json },
): { readonly [key: string]: Json } {
  if (driver.end(execution)!.status !== 'COMPLETED') return values;
  const adds = ADDS[workflow]!;
  const items = [...((values['items'] ?? []) as readonly Json[]), ...Array.from({ length: adds }, () => execution)];
  return { items, visits: Number(values['visits'] ?? 0) + adds };
}

function heldAt(driver: SessionDriver, execution: string): number {
  return driver.of(execution).find(({ events }) => events.some(({ type }) => type === 'session-held'))!.at;
}

/** The last of it and of those that it has started. */
function endedAt(driver: SessionDriver, execution: string): number {
  return Math.max(driver.of(execution).at(-1)!.at, driver.of(`${execution}/within`).at(-1)?.at ?? 0);
}

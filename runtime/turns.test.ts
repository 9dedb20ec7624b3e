import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Turns } from './turns.ts';

const ALL = ['a', 'b', 'c'];

/** Tasks that are open, of which some have something to do; an epoch holds, or fails where one of these is in it. */
function setUp({ alone = false } = {}) {
  const clock = new VirtualClock();
  const turns = new Turns({ clock, alone });
  const open = new Map(ALL.map((id) => [id, id]));
  const coming = new Set<string>();
  /** One epoch: who was in it. */
  const epoch = (busy: readonly string[], bad: readonly string[] = []): string => {
    const worked: string[] = [];
    for (const id of turns.of(open, true, (task) => coming.has(task))) {
      if (busy.includes(id)) worked.push(id);
      if (turns.ran(id, busy.includes(id))) break;
    }
    if (worked.length === 0) return '';
    turns.cut();
    if (worked.some((id) => bad.includes(id))) turns.failed(worked, false, ALL);
    else turns.held(worked);
    return worked.join('');
  };
  return { clock, turns, open, coming, epoch };
}

test('tasks share epochs until two have failed; then each has its own, and then they share again', () => {
  const { turns, epoch } = setUp();
  assert.equal(epoch(ALL), 'abc');
  assert.equal(epoch(ALL, ['b']), 'abc');
  assert.equal(turns.takeGuilty(ALL), undefined);
  assert.equal(epoch(ALL), 'abc');
  assert.equal(epoch(ALL, ['b']), 'abc');
  assert.deepEqual([epoch(ALL), epoch(ALL), epoch(ALL), epoch(ALL)], ['a', 'b', 'c', 'abc']);
});

test('two shared epochs that fail long after each other mean nothing', () => {
  const { clock, epoch } = setUp();
  epoch(ALL, ['b']);
  clock.advance(301_000);
  epoch(ALL, ['b']);
  assert.equal(epoch(ALL), 'abc');
});

test('who fails twice in a row alone, while others commit, is at fault; and comes behind the others', () => {
  const { turns, epoch } = setUp();
  epoch(ALL, ['b']);
  epoch(ALL, ['b']);
  assert.deepEqual([epoch(ALL, ['b']), epoch(ALL, ['b'])], ['a', 'b']);
  assert.equal(turns.takeGuilty(ALL), undefined);
  assert.deepEqual([epoch(ALL, ['b']), epoch(ALL, ['b']), epoch(ALL, ['b'])], ['a', 'c', 'b']);
  assert.equal(turns.takeGuilty(ALL), 'b');
  assert.equal(turns.takeGuilty(ALL), undefined);
});

test('who commits in between has not failed in a row', () => {
  const { turns, epoch } = setUp();
  epoch(ALL, ['a', 'b']);
  epoch(ALL, ['a', 'b']);
  assert.equal(epoch(ALL, ['a']), 'a');
  assert.deepEqual([epoch(ALL), epoch(ALL), epoch(ALL)], ['b', 'c', 'a']);
  epoch(['a'], ['a']);
  assert.equal(turns.takeGuilty(ALL), undefined);
});

test('where nobody commits, nobody is at fault', () => {
  const { turns, epoch } = setUp();
  for (let i = 0; i < 20; i++) {
    epoch(ALL, ALL);
    assert.equal(turns.takeGuilty(ALL), undefined);
  }
});

test('a store that is damaged twice is the fault of its task, whoever commits; the only task has nobody to keep back', () => {
  const { turns } = setUp();
  turns.failed(['c'], true, ALL);
  assert.equal(turns.takeGuilty(ALL), undefined);
  turns.held(['c']);
  turns.failed(['c'], true, ALL);
  assert.equal(turns.takeGuilty(['c']), undefined);
  turns.failed(['c'], true, ALL);
  assert.equal(turns.takeGuilty(ALL), 'c');
});

test('who has failed waits for those before it: while they are opened, and until their first records had time to come', () => {
  const { clock, turns, open, coming, epoch } = setUp();
  turns.failed(['b'], false, ALL);
  open.delete('c');
  coming.add('c');
  assert.deepEqual([epoch(ALL), epoch(ALL)], ['a', 'a']);
  open.set('c', 'c');
  coming.delete('c');
  assert.equal(epoch(['b']), '');
  clock.advance(500);
  assert.equal(epoch(['b']), '');
  assert.equal(epoch(['b', 'c']), 'c');
  assert.equal(epoch(['b', 'c']), 'b');
  turns.failed(['b'], false, ALL);
  assert.equal(epoch(['b']), '');
  clock.advance(1000);
  assert.equal(epoch(['b']), 'b');
});

test('no turn begins in an epoch in which others have done something', () => {
  const { turns, open } = setUp();
  turns.failed(['b'], false, ALL);
  const now = turns.of(open, false, () => false);
  assert.deepEqual(now, []);
});

test('those set apart never share an epoch, rest after failures, and have gone well after ten commits and 30 s', () => {
  const { clock, turns, epoch } = setUp({ alone: true });
  assert.deepEqual([epoch(['a', 'b']), epoch(['a', 'b']), epoch(['a', 'b'])], ['a', 'b', 'a']);
  assert.equal(epoch(['b'], ['b']), 'b');
  assert.equal(turns.takeGuilty(ALL), undefined);
  assert.deepEqual([epoch(['a', 'b']), epoch(['b'])], ['a', '']);
  clock.advance(50);
  assert.equal(epoch(['b'], ['b']), '');
  clock.advance(1000);
  assert.equal(epoch(['b']), 'b');
  for (let i = 0; i < 20; i++) epoch(['b']);
  clock.advance(28_000);
  assert.deepEqual(turns.held(['b']), []);
  clock.advance(2000);
  assert.deepEqual(turns.held(['b']), ['b']);
});

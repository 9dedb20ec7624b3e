import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { REDRIVES_TOPIC, RedriveMarks } from './redrive-marks.ts';
import { Redriver, type Sending } from './redriver.ts';

const TOPIC = 'amounts';

async function open(): Promise<{ readonly log: Log; readonly marks: RedriveMarks; readonly redriver: Redriver }> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(TOPIC, { partitions: 1 });
  const marks = new RedriveMarks(log);
  return { log, marks, redriver: new Redriver({ log, clock: systemClock, marks }) };
}

function sendingOf(letter: string): Sending {
  const record = { key: Buffer.from('k'), value: Buffer.from(letter), timestamp: 1, headers: [] };
  return { letter, topicId: null, topic: TOPIC, partition: 0, record };
}

test('marks of a topic that was made anew are those of that topic, as soon as it is there', async () => {
  const { log, marks, redriver } = await open();
  await redriver.send('lane', [sendingOf('one')]);
  await marks.refresh('committed');
  assert.equal(marks.of('one', null)?.times, 1);
  await log.admin.delete(REDRIVES_TOPIC);
  const other = new Redriver({ log, clock: systemClock, marks: new RedriveMarks(log) });
  await other.send('lane', [sendingOf('two')]);
  await other.send('lane', [sendingOf('three')]);
  await marks.refresh('committed');
  assert.deepEqual(
    ['one', 'two', 'three'].map((letter) => marks.of(letter, null)?.times),
    [undefined, 1, 1],
  );
  await log.admin.delete(REDRIVES_TOPIC);
  await marks.refresh('committed');
  assert.equal(marks.of('two', null), undefined);
  await log.close();
});

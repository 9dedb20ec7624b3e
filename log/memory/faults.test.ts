import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { Bench, batch, refuses } from '../conformance/bench.conformance.ts';
import { FAULTS, type FaultOptions } from './faults.ts';
import { createMemoryLog } from './memory.ts';

async function open(faults: FaultOptions = {}, seed = 1) {
  const clock = new VirtualClock(1_700_000_000_000);
  const log = createMemoryLog({ clock, random: seededRandom(seed), faults });
  const bench = new Bench({ log, clock, advance: (ms) => clock.advance(ms), close: () => log.close() });
  await log.admin.create('orders', { partitions: 2 });
  return { clock, log, bench };
}

test('a lost answer: done, but answered by a timeout; only abort may follow', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  log.faults.order('lost-answer', 'append');
  const lost = refuses('log.timeout', producer.append('orders', 0, batch('a=1')));
  await bench.pass(500);
  await lost;
  assert.equal((await log.admin.bounds('orders', 0)).end, 1);
  await refuses('log.aborted', producer.append('orders', 0, batch('a=2')));
  await refuses('log.aborted', producer.commit());
  await producer.abort();
  assert.deepEqual(await bench.values('orders'), []);
  assert.equal(log.faults.fired['lost-answer'], 1);
});

test('a lost request: not done, and answered by a timeout', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({});
  log.faults.order('lost-request', 'append');
  const lost = refuses('log.timeout', producer.append('orders', 0, batch('a=1')));
  await bench.pass(500);
  await lost;
  assert.equal((await log.admin.bounds('orders', 0)).end, 0);
  assert.equal(log.faults.fired['lost-request'], 1);
});

test('a commit whose answer is lost has happened; the abort behind it changes nothing', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1'));
  log.faults.order('lost-answer', 'commit');
  const lost = refuses('log.timeout', producer.commit());
  await bench.pass(500);
  await lost;
  await producer.abort();
  assert.deepEqual(await bench.values('orders'), ['1']);
});

test('a late answer comes after what was sent behind it has been done', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({});
  log.faults.order('late-answer', 'append');
  const order: string[] = [];
  const first = producer.append('orders', 0, batch('a=1')).then(() => order.push('first'));
  await producer.append('orders', 0, batch('b=2')).then(() => order.push('second'));
  await bench.pass(500);
  await first;
  assert.deepEqual(order, ['second', 'first']);
  assert.deepEqual(await bench.values('orders'), ['1', '2']);
  assert.equal(log.faults.fired['late-answer'], 1);
});

test('late markers: a commit has answered, but a committed reader still waits before it', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1'));
  log.faults.order('late-markers');
  await producer.commit();
  assert.deepEqual(await bench.values('orders'), []);
  assert.equal((await log.admin.bounds('orders', 0)).stable, 0);
  await bench.pass(500);
  assert.deepEqual(await bench.values('orders'), ['1']);
  assert.equal(log.faults.fired['late-markers'], 1);
});

test('late markers of a fenced producer are written before its successor begins', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1'));
  log.faults.order('late-markers');
  await producer.commit();
  await log.producer({ transactionalId: 't' });
  assert.deepEqual(await bench.values('orders'), ['1']);
});

test('unstable positions: committed waits until the position of a decided transaction counts', async () => {
  const { log, bench } = await open();
  const { member } = await bench.join({ group: 'g' });
  const producer = await log.producer({ transactionalId: 't' });
  const place = { topic: 'orders', partition: 0 };
  producer.begin();
  await producer.sendPositions(member.identity, [{ ...place, position: 4, metadata: '' }]);
  log.faults.order('unstable-positions');
  await producer.commit();
  let answered = false;
  const waiting = log.committed('g', [place]).then((answer) => {
    answered = true;
    return answer;
  });
  await bench.pass(50);
  assert.equal(answered, false);
  await bench.pass(500);
  assert.deepEqual(await waiting, [{ position: 4, metadata: '' }]);
  assert.equal(log.faults.fired['unstable-positions'], 1);
  await member.leave();
});

test('an abort by the log: nothing of the transaction counts, the producer goes on after its abort', async () => {
  const { log, bench } = await open();
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1'));
  log.faults.order('abort', 'commit');
  await refuses('log.aborted', producer.commit());
  await producer.abort();
  producer.begin();
  await producer.append('orders', 0, batch('a=2'));
  await producer.commit();
  assert.deepEqual(await bench.values('orders'), ['2']);
  assert.equal((await bench.read('orders', 'uncommitted')).length, 2, 'aborted records lie around');
  assert.equal(log.faults.fired.abort, 1);
});

test('a lost member is told after its session, its tasks go to others, its positions are refused', async () => {
  const { log, bench } = await open();
  const one = await bench.join({ group: 'g', name: 'a', sessionTimeoutMs: 300 });
  const two = await bench.join({ group: 'g', name: 'b', sessionTimeoutMs: 300 });
  await bench.until('one generation', () => one.member.identity.generation === two.member.identity.generation);
  log.faults.order('lost-member', 'heartbeat');
  await bench.pass(1000);
  assert.equal(one.lost.length + two.lost.length, 1);
  const [lost, left] = one.lost.length === 1 ? [one, two] : [two, one];
  assert.ok(left.member.identity.generation > lost.member.identity.generation);
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  const positions = [{ topic: 'orders', partition: 0, position: 1, metadata: '' }];
  await refuses('log.generation', producer.sendPositions(lost.member.identity, positions));
  await producer.sendPositions(left.member.identity, positions);
  await producer.commit();
  assert.equal(log.faults.fired['lost-member'], 1);
  await left.member.leave();
});

test('a member that does not give up its tasks in time is put out', async () => {
  const { bench } = await open();
  const slow = await bench.join({
    group: 'g',
    sessionTimeoutMs: 100,
    assign,
    onRevoke: () => new Promise(() => undefined),
  });
  const joining = bench.join({ group: 'g', sessionTimeoutMs: 100, assign });
  await bench.pass(2000);
  const other = await joining;
  assert.equal(slow.lost.length, 1);
  assert.equal(other.assignments.at(-1)?.tasks.length, 1);
  await other.member.leave();

  /** All to the member that came last. */
  function assign(members: readonly { readonly member: string }[]) {
    return new Map([[members.at(-1)!.member, { tasks: ['task'], metadata: '' }]]);
  }
});

/** One producer moves numbers over; a fault makes it try again under its committed position. */
async function move(seed: number) {
  const chances = { 'late-answer': 0.1, 'lost-answer': 0.1, 'lost-request': 0.1, 'late-markers': 0.3, abort: 0.1 };
  const { clock, log, bench } = await open({ chances: { ...chances, 'unstable-positions': 0.3 }, lateMs: 50 }, seed);
  const random = seededRandom(seed + 1000);
  const place = { topic: 'orders', partition: 0 };
  const done = (async () => {
    const { member } = await bench.join({ group: 'g' });
    for (let failures = 0; failures < 2000; ) {
      try {
        const producer = await log.producer({ transactionalId: 't' });
        for (;;) {
          let next = (await log.committed('g', [place]))[0]?.position ?? 0;
          if (next >= 40) return await member.leave();
          producer.begin();
          const end = next + 1 + randomInt(random, 4);
          for (; next < end; next++) await producer.append('orders', next % 2, batch(`k=${next}`));
          await producer.sendPositions(member.identity, [{ ...place, position: next, metadata: '' }]);
          await producer.commit();
        }
      } catch (thrown) {
        assert.ok(isFlowError(thrown) && ['log.timeout', 'log.aborted'].includes(thrown.code), String(thrown));
        failures++;
      }
    }
  })();
  let over = false;
  done.finally(() => {
    over = true;
  });
  for (let i = 0; i < 20_000 && !over; i++) {
    clock.advance(10);
    await clock.turn();
  }
  await done;
  log.faults.set({});
  await bench.pass(200);
  const values = [...(await bench.values('orders', 'committed', 0)), ...(await bench.values('orders', 'committed', 1))];
  const uncommitted = await bench.values('orders', 'uncommitted', 0);
  const trace = `${JSON.stringify(await log.admin.bounds('orders', 0))} ${JSON.stringify(log.faults.fired)}`;
  return { values, uncommitted, trace, fired: log.faults.fired };
}

test('under all faults nothing is lost or doubled, and a seed repeats its run', async () => {
  const total = Object.fromEntries(FAULTS.map((fault) => [fault, 0]));
  let aborted = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const run = await move(seed);
    const numbers = run.values.map(Number).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...numbers.keys()], `seed ${seed}`);
    assert.ok(numbers.length >= 40);
    aborted += run.uncommitted.length - run.values.length / 2;
    for (const fault of FAULTS) total[fault]! += run.fired[fault];
    if (seed === 1) assert.equal((await move(seed)).trace, run.trace);
  }
  assert.ok(aborted > 0);
  for (const fault of FAULTS) if (fault !== 'lost-member') assert.ok(total[fault]! > 0, `${fault} never happened`);
});

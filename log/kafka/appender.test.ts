import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { batch, refuses } from '../conformance/bench.conformance.ts';
import { Appender, type AppenderParts, type Predecessor } from './appender.ts';
import { FakeBrokers } from './brokers.fixture.ts';

interface Setup {
  readonly seed?: number;
  readonly patienceMs?: number;
  readonly transactionalId?: string;
  readonly onGivenUp?: AppenderParts['onGivenUp'];
  readonly predecessor?: Predecessor;
}

function setUp({ seed = 1, patienceMs = 10_000, transactionalId, onGivenUp, predecessor }: Setup = {}) {
  const clock = new VirtualClock(0);
  const brokers = new FakeBrokers(clock, seed);
  const failures: FlowError[] = [];
  const appender = new Appender(
    {
      cluster: brokers.cluster(patienceMs),
      transactionalId,
      version: 12,
      role: 'produce',
      timeoutMs: 1000,
      limitOf: async () => brokers.largest,
      onGivenUp: onGivenUp ?? ((failure) => failures.push(failure)),
      ...(predecessor === undefined ? {} : { predecessor }),
    },
    { producerId: 7, producerEpoch: 0 },
  );
  /** Lets time pass until it is settled. */
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    promise.then(
      () => (done = true),
      () => (done = true),
    );
    for (let turns = 0; !done && turns < 100_000; turns++) {
      await clock.turn();
      if (turns % 3 === 0) clock.advance(1);
    }
    assert.ok(done, 'it goes on for ever');
    return promise;
  };
  return { clock, brokers, appender, failures, settled };
}

test('batches of one turn travel together, one a partition in a request', async () => {
  const { brokers, appender, settled } = setUp();
  await settled(Promise.all([0, 1, 2].map((p) => appender.append('t', p, batch('warm')))));
  brokers.requests.length = 0;
  const sent = [0, 1, 2, 0, 0].map((p, i) => appender.append('t', p, batch(`v${i}`)));
  assert.deepEqual(await settled(Promise.all(sent)), [1, 1, 1, 2, 3]);
  assert.deepEqual(brokers.requests, [['t/0', 't/1', 't/2'], ['t/0'], ['t/0']]);
});

// A first batch of a producer that is not known, repetitions that the broker has forgotten: seeds find each.
for (let seed = 1; seed <= 20; seed++) {
  test(`mishaps lose, repeat and move nothing (seed ${seed})`, async () => {
    const { brokers, appender, failures, settled, clock } = setUp({ seed, patienceMs: 1_000_000 });
    const random = seededRandom(seed * 7919);
    brokers.mishaps = 0.3;
    const expected: string[][] = [[], [], []];
    const appended: Promise<void>[] = [];
    for (let i = 0; i < 120; i++) {
      const partition = randomInt(random, 3);
      const values = Array.from({ length: 1 + randomInt(random, 3) }, (_, n) => `${i}.${n}`);
      const base = expected[partition]!.push(...values) - values.length;
      appended.push(appender.append('t', partition, batch(...values)).then((position) => assert.equal(position, base)));
      for (let turns = randomInt(random, 4); turns > 0; turns--) await clock.turn();
    }
    await settled(Promise.all(appended));
    assert.deepEqual(
      [0, 1, 2].map((p) => brokers.partition(`t/${p}`).values),
      expected,
    );
    assert.deepEqual(failures, []);
  });
}

test('a batch that the broker refuses leaves no gap: those behind it are stamped anew', async () => {
  const { brokers, appender, settled } = setUp();
  await settled(appender.append('t', 0, batch('first')));
  const large = appender.append('t', 0, batch('x'.repeat(20_000)));
  const behind = [1, 2, 3].map((i) => appender.append('t', 0, batch(`v${i}`)));
  assert.match(await settled(refuses('log.oversize', large)), /t\/0.*10000/);
  await settled(Promise.all(behind));
  assert.deepEqual(brokers.partition('t/0').values, ['first', 'v1', 'v2', 'v3']);
});

test('a missing topic is refused by name, and holds nothing else back', async () => {
  const { brokers, appender, settled } = setUp();
  const absent = appender.append('absent', 0, batch('v'));
  const other = appender.append('t', 0, batch('v'));
  assert.match(await settled(refuses('topic.missing', absent)), /absent/);
  assert.equal(await settled(other), 0);
  assert.deepEqual(brokers.partition('t/0').values, ['v']);
});

test('a batch for which patience ends is given up; the others go on under another producer', async () => {
  const { brokers, appender, settled, failures } = setUp({
    patienceMs: 500,
    onGivenUp: (failure) => {
      failures.push(failure);
      void appender.halt().then(() => {
        brokers.mishaps = 0;
        appender.restart({ producerId: 8, producerEpoch: 0 });
      });
    },
  });
  await settled(appender.append('t', 0, batch('first')));
  brokers.mishaps = 1;
  const lost = appender.append('t', 0, batch('lost'));
  assert.match(await settled(refuses('log.timeout', lost)), /t\/0.*500 ms/);
  assert.equal(failures.length, 1);
  await settled(appender.append('t', 0, batch('next')));
  assert.equal(brokers.partition('t/0').values.at(-1), 'next');
});

test('a fenced producer is told once, by the error of the append', async () => {
  const { brokers, appender, settled, failures } = setUp({ transactionalId: 'x' });
  await settled(appender.append('t', 0, batch('mine')));
  brokers.partition('t/0').producers.get(7)!.epoch = 1;
  await settled(refuses('log.fenced', appender.append('t', 0, batch('late'))));
  assert.ok(isFlowError(failures[0], 'log.fenced'));
});

test('a failed transaction takes everything with it; the next begins with sequences of its own', async () => {
  const { brokers, appender, settled } = setUp({ transactionalId: 'x' });
  await settled(appender.append('t', 0, batch('first')));
  const lost = [1, 2, 3].map((i) => refuses('log.closed', appender.append('t', 0, batch(`lost ${i}`))));
  appender.fail(new FlowError('log.closed', 'the transaction was aborted'));
  await settled(Promise.all(lost));
  appender.restart({ producerId: 7, producerEpoch: 1 });
  await settled(appender.append('t', 0, batch('second')));
  assert.equal(brokers.partition('t/0').producers.get(7)!.batches[0]!.sequence, 0);
});

/** One that becomes incomplete with `breaks`, and takes an epoch to be complete again. */
class LastTransaction implements Predecessor {
  stamp = { producerId: 7, producerEpoch: 0 };
  isLastComplete = true;
  taken = 0;
  /** What the log had been sent when it was looked at. */
  sentBefore: number[] = [];
  readonly #failure: FlowError | undefined;
  sent: () => number = () => 0;

  constructor(failure?: FlowError) {
    this.#failure = failure;
  }

  async completeLast(): Promise<void> {
    this.sentBefore.push(this.sent());
    if (this.#failure !== undefined) throw this.#failure;
    this.stamp = { producerId: 7, producerEpoch: this.stamp.producerEpoch + 1 };
    this.isLastComplete = true;
  }

  accepted(): void {
    this.taken++;
  }
}

test('nothing is sent before the transaction before is complete; then it goes on under the stamp that this took', async () => {
  const predecessor = new LastTransaction();
  const { brokers, appender, settled, failures } = setUp({ transactionalId: 'id', predecessor });
  predecessor.sent = () => brokers.requests.length;
  await settled(appender.append('t', 0, batch('first')));
  await settled(appender.complete());
  assert.deepEqual([predecessor.taken, predecessor.sentBefore], [1, []], 'it was complete');
  predecessor.isLastComplete = false;
  const appended = [0, 1, 2].map((p) => appender.append('t', p, batch(`v${p}`)));
  assert.deepEqual(await settled(Promise.all(appended)), [1, 0, 0]);
  assert.deepEqual([predecessor.sentBefore, predecessor.taken], [[1], 4], 'looked at once, before anything was sent');
  assert.deepEqual(brokers.partition('t/0').values, ['first', 'v0']);
  assert.equal(brokers.partition('t/0').producers.get(7)?.epoch, 1);
  assert.deepEqual(failures, []);
});

test('a batch that is sent again waits for it, too: a broker that was started anew is behind both', async () => {
  const predecessor = new LastTransaction();
  const { brokers, appender, settled, failures } = setUp({ transactionalId: 'id', predecessor });
  const { mishap } = brokers;
  brokers.mishap = () => {
    predecessor.isLastComplete = false;
    brokers.mishap = mishap;
    return 'lost request';
  };
  assert.equal(await settled(appender.append('t', 0, batch('once'))), 0);
  assert.equal(predecessor.sentBefore.length, 1);
  assert.deepEqual(brokers.partition('t/0').values, ['once']);
  assert.equal(brokers.partition('t/0').producers.get(7)?.epoch, 1);
  assert.deepEqual(failures, []);
});

test('where that cannot be done, the transaction is given up', async () => {
  const failure = new FlowError('log.timeout', 'no coordinator');
  const predecessor = new LastTransaction(failure);
  const given: FlowError[] = [];
  const onGivenUp = (thrown: FlowError): void => {
    given.push(thrown);
    appender.fail(thrown);
  };
  const { appender, settled } = setUp({ transactionalId: 'id', predecessor, onGivenUp });
  predecessor.isLastComplete = false;
  await refuses('log.timeout', settled(appender.append('t', 0, batch('late'))));
  await appender.completed();
  assert.deepEqual(given, [failure]);
});

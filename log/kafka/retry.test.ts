import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { Stale } from './error-codes.ts';
import { backOffMs, retry } from './retry.ts';

/** Turns the clock until a promise is settled; answers how much time that took. */
async function settle(clock: VirtualClock, promise: Promise<unknown>): Promise<number> {
  const began = clock.monotonic();
  let settled = false;
  const done = () => {
    settled = true;
  };
  promise.then(done, done);
  for (;;) {
    await clock.turn();
    if (settled) return clock.monotonic() - began;
    clock.advance(10);
  }
}

test('what passes is asked again, with growing waits, and told where it is stale', async () => {
  const clock = new VirtualClock(0);
  const at: number[] = [];
  let told = 0;
  const asked = retry(
    { clock, random: seededRandom(1), patienceMs: 60_000 },
    'asking',
    async () => {
      at.push(clock.monotonic());
      if (at.length < 10) throw new Stale('not yet', at.length % 2 === 0);
      return 'answer';
    },
    {
      stale: () => {
        told++;
      },
    },
  );
  const tookMs = await settle(clock, asked);
  assert.equal(await asked, 'answer');
  assert.equal(told, 4);
  assert.ok(at[1]! - at[0]! <= 40 && at[9]! - at[8]! >= 500, at.join(' '));
  assert.ok(tookMs < 10_000);
});

test('patience ends with what was asked, how often, and what was said last', async () => {
  const clock = new VirtualClock(0);
  const asked = retry({ clock, random: seededRandom(2), patienceMs: 3000 }, 'bounds of orders/3', async () => {
    throw new Stale('it has no leader now', true);
  });
  asked.catch(() => undefined);
  const tookMs = await settle(clock, asked);
  assert.ok(tookMs <= 3000 && tookMs >= 1500, String(tookMs));
  await assert.rejects(
    asked,
    (thrown) => isFlowError(thrown, 'log.timeout') && /bounds of orders\/3 .*3000 ms.*no leader/.test(thrown.message),
  );
});

test('what does not pass is thrown at once; closing ends the waiting', async () => {
  const clock = new VirtualClock(0);
  const random = seededRandom(3);
  const refuse = async () => {
    throw new FlowError('topic.missing', 'topic orders does not exist');
  };
  await assert.rejects(retry({ clock, random, patienceMs: 3000 }, 'asking', refuse), { code: 'topic.missing' });
  const closing = new AbortController();
  const waiting = retry({ clock, random, patienceMs: 3000, closing: closing.signal }, 'asking', async () => {
    throw new Stale('not yet', false);
  });
  await clock.turn();
  closing.abort();
  await assert.rejects(waiting, { code: 'log.closed' });
});

test('waits double up to a second, each by chance between half and the whole', () => {
  const random = seededRandom(4);
  for (let tries = 0; tries < 40; tries++) {
    const whole = Math.min(1000, 20 * 2 ** tries);
    for (let i = 0; i < 20; i++) {
      const waitMs = backOffMs(tries, random);
      assert.ok(waitMs >= whole / 2 && waitMs <= whole);
    }
  }
});

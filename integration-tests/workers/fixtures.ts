import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { generator, int64, string, topic, topology } from '../../index.ts';

/** Topologies that go wrong with more than one worker. */
const KEYED = { key: string(), value: int64(), partitions: 4 } as const;
export const numbers = topic('numbers', KEYED);
export const out = topic('out', KEYED);
export const prices = topic('prices', KEYED);

function application(name: string, onRecord: (n: number) => number, store = 'counts') {
  const app = topology(name);
  app
    .read(generator({ count: 1000, make: (n) => n }), {
      name: 'made',
      key: (n) => `k${n % 20}`,
      keySerde: string(),
      value: int64(),
      time: (n) => n,
    })
    .to(numbers);
  app.stream(numbers).mapValues(onRecord).groupByKey().count({ store }).toStream().to(out);
  return app;
}

/** Names a store by the thread that builds it. */
export const unequal = application('unequal', (n) => n, isMainThread ? 'here' : 'there');

/** Its code fails on a record. */
export const failing = application('failing', (n) => {
  if (n === 77) throw new Error('no seventy-sevens');
  return n;
});

/** Something in the thread throws outside of any record. */
export const falling = application('falling', (n) => {
  if (n === 77 && !isMainThread) {
    queueMicrotask(() => {
      throw new Error('out of the blue');
    });
  }
  return n;
});

/** The thread is ended by its own code. */
export const leaving = application('leaving', (n) => {
  if (n === 77 && !isMainThread) process.exit(7);
  return n;
});

/** Names the file by which threads of `leavingOnce` know that one has left already. */
export const LEFT = 'WORKERS_TEST_LEFT';

/** The first thread to come there is ended by its own code; those behind it go on. */
export const leavingOnce = application('leaving-once', (n) => {
  if (n === 77 && !isMainThread && isFirst(process.env[LEFT]!)) process.exit(7);
  return n;
});

function isFirst(file: string): boolean {
  const is = !existsSync(file);
  writeFileSync(file, '');
  return is;
}

/** This module, whose `blocking` stands still until there is such a file. */
export function blockedUntil(module: URL, file: string): string {
  const url = new URL(module);
  url.searchParams.set('until', file);
  return url.href;
}

let hasBlocked = false;

/** The event loop of a thread stands still, once, until there is the file that is named in its URL. */
export const blocking = application('blocking', (n) => {
  const file = new URL(import.meta.url).searchParams.get('until');
  if (n === 77 && file !== null && !hasBlocked) {
    hasBlocked = true;
    while (!existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return n;
});

/** Goes on until it is stopped, and can be asked meanwhile. */
export const asked = topology('asked');
asked.stream(numbers).groupByKey().count({ store: 'counts' }).toStream().to(out);
asked.table(prices, { store: 'prices', history: { minutes: 1 } });

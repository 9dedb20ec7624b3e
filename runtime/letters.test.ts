import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { generator } from '../connectors/connectors.ts';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { readHeaders } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, json, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { dyingLog, Killed } from './dying-log.testing.ts';
import { eachRecord } from './each-record.ts';
import type { RecordLetter } from './letters.ts';
import { openRecordLetters } from './open-letters.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';
import { encodeRecord } from './testing-records.ts';

const IN = topic('amounts', { key: string(), value: json<{ readonly n: number }>(), partitions: 3 });
const OUT = topic('doubled', { key: string(), value: int64(), partitions: 1 });
const TIMEOUT = { timeout: 240_000 };
const LETTERS = 'nf.doubles.dead-letters';

/** Doubles what is below the bound, and gives up the rest. */
function doubles(bound: number): Program {
  const app = topology('doubles');
  app
    .stream(IN, { onUndecodable: 'dead-letter' })
    .mapValues(({ n }) => {
      if (n >= bound) throw new Error(`${n} is too much: password=hunter2`);
      return n * 2;
    })
    .to(OUT);
  return app.build();
}

const logs: Log[] = [];
after(() => Promise.all(logs.map((log) => log.close())));

function memory(): Log {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  logs.push(log);
  return log;
}

function start(log: Log, program: Program): Promise<Run> {
  return startRun({
    ...{ program, log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 2, onFailure: 'dead-letter' },
  });
}

async function put(log: Log, partition: number, value: unknown, headers: Record<string, string> = {}): Promise<void> {
  const producer = await log.producer({});
  const record = { key: 'k', value, timestamp: 1000 + partition, headers };
  await producer.append(IN.name, partition, encodeRecord({ key: string(), value: json() } as never, record).batch);
  await producer.close();
}

interface Found {
  readonly partition: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  readonly headers: { readonly [name: string]: string };
}

async function recordsOf(log: Log, name: string, partitions: number): Promise<Found[]> {
  const found: Found[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(log, name, partition, (view, i) => {
      const pairs = readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!);
      found.push({
        partition,
        timestamp: view.timestamps[i]!,
        key: view.bytes.toString('utf8', view.keyStarts[i]!, view.keyEnds[i]!),
        value: view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!),
        headers: Object.fromEntries(pairs.map(({ name: header, value }) => [header, String(value)])),
      });
    });
  }
  return found;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(2);
}

/** A log with so many letters, and nothing that runs. */
async function withLetters(values: readonly unknown[], log = memory()) {
  await log.admin.create(IN.name, { partitions: IN.partitions });
  const run = await start(log, doubles(10));
  for (const [i, value] of values.entries()) await put(log, i % IN.partitions, value, { trace: `t${i}` });
  const letters = openRecordLetters({ log, clock: systemClock });
  const list = async () => (await letters.list({ limit: 500 })).rows;
  await until(async () => {
    const there = (await log.admin.describe(LETTERS)) !== undefined;
    return there && (await recordsOf(log, LETTERS, 1)).length >= values.length;
  });
  await run.drain();
  return { log, letters, list };
}

const sentOf = async (log: Log) =>
  (await recordsOf(log, IN.name, 3)).filter(({ headers }) => headers['nf.redriven'] !== undefined);
const marksOf = (log: Log) => recordsOf(log, 'nf.redrives', 1);

test('S2.2.d: a letter has what it was and why, and is redriven once to where it was read', TIMEOUT, async () => {
  const { log, letters, list } = await withLetters([{ n: 10 }, 'words', { n: 30 }]);
  const rows = await list();
  assert.deepEqual(
    rows
      .map(({ reason, code, from }) => [from!.partition, from!.topic, from!.position, reason, code].join(' '))
      .toSorted(),
    ['0 amounts 0 failed record.failed', '1 amounts 0 failed schema.mismatch', '2 amounts 0 failed record.failed'],
  );
  const third = rows.find(({ from }) => from?.partition === 2)!;
  assert.equal(third.record.value!.toString(), '{"n":30}');
  assert.equal(third.record.key!.toString(), 'k');
  assert.deepEqual(
    third.record.headers.map(({ name, value }) => [name, String(value)]),
    [['trace', 't2']],
  );
  assert.match(third.message, /30 is too much: password=\[hidden\]/);
  assert.ok(third.at > 1_000_000_000_000, 'when it was given up, not when the record was');
  assert.deepEqual([third.redrives, third.redriven, third.ofNode], [0, null, false]);

  const first = await letters.redrive(third.id, { by: 'ann' });
  const second = await letters.redrive(third.id, { by: 'bob' });
  assert.equal(first.existing, false);
  assert.deepEqual(first.to, { topic: 'amounts', partition: 2, position: 1 });
  assert.deepEqual({ ...second, existing: false }, first);
  assert.equal(second.existing, true);
  const headers = { trace: 't2', 'nf.redriven': third.id, 'nf.redrives': '1' };
  assert.deepEqual(await sentOf(log), [{ partition: 2, timestamp: 1002, key: 'k', value: '{"n":30}', headers }]);
  assert.deepEqual((await letters.show(third.id)).redriven, { at: first.at, by: 'ann', to: first.to, times: 1 });
  assert.deepEqual(
    (await letters.list({ redriven: true })).rows.map(({ id }) => id),
    [third.id],
  );
  assert.equal((await letters.list({ redriven: false })).rows.length, 2);

  // it fails again: the new letter says that this is not its first time
  const again = await start(log, doubles(10));
  await until(async () => (await list()).length === 4);
  await again.drain();
  const newest = (await letters.list({ redriven: false })).rows.find(({ redrives }) => redrives > 0)!;
  assert.equal(newest.redrives, 1);
  await letters.redrive(newest.id);
  assert.deepEqual(
    (await sentOf(log)).map((sent) => sent.headers['nf.redrives']),
    ['1', '2'],
  );
  // with the code corrected it goes through
  const better = await start(log, doubles(100));
  await until(async () => (await recordsOf(log, OUT.name, 1)).length === 1);
  await better.drain();
});

test('what is sent may be another record; with another key it goes to the partition of that', TIMEOUT, async () => {
  const { log, letters, list } = await withLetters([{ n: 10 }]);
  const { id } = (await list())[0]!;
  const unfit = { headers: [{ name: 'nf.redrives', value: null }] };
  await assert.rejects(letters.redrive(id, { change: unfit }), { code: 'dead-letter.unfit', message: /nf\.redrives/ });
  await assert.rejects(letters.redrive(id, { change: { timestamp: -1 } }), { code: 'dead-letter.unfit' });
  const headers = [{ name: 'why', value: Buffer.from('corrected') }];
  const change = { key: Buffer.from('other'), value: Buffer.from('{"n":1}'), timestamp: 77, headers };
  const { to } = await letters.redrive(id, { change });
  const [sent] = await sentOf(log);
  assert.deepEqual(
    [sent!.partition, sent!.key, sent!.value, sent!.timestamp, sent!.headers['why'], sent!.headers['trace']],
    [to!.partition, 'other', '{"n":1}', 77, 'corrected', undefined],
  );
});

test('once more on purpose: each id is once', TIMEOUT, async () => {
  const { log, letters, list } = await withLetters([{ n: 10 }]);
  const row = (await list())[0]!;
  const { id } = row;
  await letters.redrive(id);
  const more = [undefined, 'x', 'x', 'y', 'x'].map((key) => ({
    again: true,
    ...(key === undefined ? {} : { id: key }),
  }));
  const existing: boolean[] = [];
  for (const options of more) existing.push((await letters.redrive(id, options)).existing);
  assert.deepEqual(existing, [false, false, true, false, true]);
  assert.equal((await sentOf(log)).length, 4);
  assert.equal((await letters.show(id)).redriven!.times, 4);
  await letters.redriveAll([row, row], { again: true });
  assert.equal((await sentOf(log)).length, 5);
});

test('S2.2.d: killed at any write, before it is done or after, and begun anew: once', TIMEOUT, async () => {
  const count = 5;
  let most = 1;
  let finished = 0;
  for (let write = 1; write <= most; write++) {
    for (const when of ['before', 'after'] as const) {
      const { log, list } = await withLetters(Array.from({ length: count }, (_, i) => ({ n: 10 + i })));
      const rows = await list();
      const dying = dyingLog(log, { write, when });
      const killed = openRecordLetters({ log: dying.log, clock: systemClock });
      try {
        await killed.redriveAll(rows, { by: 'ann' });
        finished++;
      } catch (thrown) {
        assert.ok(thrown instanceof Killed, String(thrown));
      }
      most = Math.max(most, dying.writes + 1);
      const anew = openRecordLetters({ log, clock: systemClock });
      const outcomes = await anew.redriveAll(rows, { by: 'bob' });
      assert.deepEqual(new Set(outcomes.map(({ outcome }) => outcome)).size, 1, 'all of them, or none');
      const sent = await sentOf(log);
      const ids = rows.map(({ id }) => id).toSorted();
      assert.deepEqual(sent.map(({ headers }) => headers['nf.redriven']).toSorted(), ids, `${when} write ${write}`);
      assert.deepEqual((await marksOf(log)).map(({ key }) => key).toSorted(), ids);
      const by = outcomes[0]!.outcome === 'existing' ? 'ann' : 'bob';
      assert.deepEqual(new Set((await anew.list({})).rows.map(({ redriven }) => redriven!.by)), new Set([by]));
    }
  }
  assert.ok(most > count, 'there were writes to be killed at');
  assert.ok(finished > 0, 'it was killed at all of them');
});

test('S2.2.d: several processes at once send each letter once', TIMEOUT, async () => {
  const { log } = await withLetters(Array.from({ length: 250 }, (_, i) => ({ n: 10 + i })));
  const rows: RecordLetter[] = [];
  const reading = openRecordLetters({ log, clock: systemClock });
  for (let after: string | null | undefined; after !== null; ) {
    const page = await reading.list({ limit: 60, ...(after === undefined ? {} : { after }) });
    rows.push(...page.rows);
    after = page.next;
  }
  assert.equal(new Set(rows.map(({ id }) => id)).size, 250);
  assert.equal((await reading.list({})).rows.length, 50);
  const processes = Array.from({ length: 4 }, () => openRecordLetters({ log, clock: systemClock }));
  const all = await Promise.all(processes.map((each) => each.redriveAll(rows)));
  const redriven = all.flat().filter(({ outcome }) => outcome === 'redriven');
  assert.equal(all.flat().filter(({ outcome }) => outcome === 'refused').length, 0);
  const ids = (await sentOf(log)).map(({ headers }) => headers['nf.redriven']);
  assert.deepEqual([ids.length, new Set(ids).size], [250, 250]);
  // who was fenced at its commit is told of those as done before, though it may have been itself that did them
  assert.ok(redriven.length <= 250 && redriven.length > 0);
});

test('a page ends where its letters are many bytes, and goes on behind', TIMEOUT, async () => {
  const text = 'x'.repeat(3_000_000);
  const { letters } = await withLetters(Array.from({ length: 14 }, (_, i) => ({ n: 10 + i, text })));
  const pages: number[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await letters.list({ limit: 500, ...(after === undefined ? {} : { after }) });
    pages.push(page.rows.length);
    after = page.next;
  }
  assert.deepEqual(pages, [6, 6, 2]);
});

test('a topic of letters that was made anew has letters of its own', TIMEOUT, async () => {
  const { log, letters, list } = await withLetters([{ n: 10 }]);
  const { id } = (await list())[0]!;
  await letters.redrive(id);
  await log.admin.delete(LETTERS);
  await assert.rejects(letters.show(id), { code: 'dead-letter.unknown' });
  await put(log, 0, { n: 20 });
  const run = await start(log, doubles(10));
  await until(async () => (await list()).length >= 1);
  await run.drain();
  assert.equal((await letters.show(id)).redriven, null);
  assert.equal((await letters.redrive(id)).existing, false);
});

test('what cannot go back says why, and what to do', TIMEOUT, async () => {
  const { log, letters, list } = await withLetters([{ n: 10 }]);
  const { id } = (await list())[0]!;
  for (const unknown of ['x', `${LETTERS}:99`, 'nf.other.dead-letters:0', `${LETTERS}:`, `${LETTERS}:00`]) {
    await assert.rejects(letters.redrive(unknown), { code: 'dead-letter.unknown' });
  }
  await log.admin.delete(IN.name);
  await assert.rejects(letters.redrive(id), { code: 'dead-letter.not-redrivable', message: /amounts.*not there/ });
  const app = topology('counts');
  app
    .read(generator({ count: 1, make: (n) => n }), {
      ...{ name: 'numbers', key: () => 'k', keySerde: string(), value: int64(), time: () => 1 },
    })
    .mapValues((n): number => {
      throw new Error(`no ${n}`);
    })
    .to(OUT);
  await (await start(log, app.build())).finished;
  const [counted] = (await letters.list({ application: 'counts' })).rows;
  await assert.rejects(letters.redrive(counted!.id), {
    code: 'dead-letter.not-redrivable',
    message: /read from the source of read:numbers, which is no topic/,
  });
  const [refused] = await letters.redriveAll([counted!]);
  assert.equal(refused!.outcome, 'refused');
});

test('what failed behind a repartition goes back to there', TIMEOUT, async () => {
  const log = memory();
  await log.admin.create(IN.name, { partitions: IN.partitions });
  const sums = (bound: number) => {
    const app = topology('sums');
    app
      .stream(IN)
      .selectKey(({ n }) => `parity ${n % 2}`)
      .repartition({ name: 'parity', key: string(), value: json<{ readonly n: number }>(), partitions: 2 })
      .mapValues(({ n }): number => {
        if (n >= bound) throw new Error(`${n} is too much`);
        return n;
      })
      .to(topic('parities', { key: string(), value: int64(), partitions: 2 }));
    return app.build();
  };
  await put(log, 0, { n: 4 });
  await put(log, 1, { n: 10 });
  const run = await start(log, sums(10));
  const letters = openRecordLetters({ log, clock: systemClock });
  await until(async () => (await letters.list({})).rows.length === 1);
  const [letter] = (await letters.list({})).rows;
  assert.match(letter!.from!.topic, /^nf\.sums\..*repartition/);
  // while it runs
  await letters.redrive(letter!.id);
  await until(async () => (await letters.list({})).rows.length === 2);
  await run.drain();
  const better = await start(log, sums(100));
  await letters.redrive((await letters.list({ redriven: false })).rows[0]!.id);
  await until(async () => (await recordsOf(log, 'parities', 2)).length === 2);
  await better.drain();
  assert.deepEqual(
    (await recordsOf(log, 'parities', 2)).map(({ key }) => key),
    ['parity 0', 'parity 0'],
  );
});

test(
  'headers that hold secrets are left out of the letter, and come back from where they were read',
  TIMEOUT,
  async () => {
    const log = memory();
    await log.admin.create(IN.name, { partitions: IN.partitions });
    await put(log, 0, { n: 10 }, { authorization: 'Bearer abcdef123456', trace: 'x' });
    const run = await start(log, doubles(10));
    const letters = openRecordLetters({ log, clock: systemClock });
    await until(async () => (await letters.list({})).rows.length === 1);
    await run.drain();
    const [letter] = (await letters.list({})).rows;
    assert.deepEqual(letter!.hidden, ['authorization']);
    assert.doesNotMatch(JSON.stringify(await recordsOf(log, LETTERS, 1)), /abcdef/);
    await letters.redrive(letter!.id);
    const [sent] = await sentOf(log);
    assert.deepEqual([sent!.headers['authorization'], sent!.headers['trace']], ['Bearer abcdef123456', 'x']);
    await log.admin.deleteRecords(IN.name, 0, 1);
    await assert.rejects(letters.redrive(letter!.id, { again: true }), {
      code: 'dead-letter.not-redrivable',
      message: /authorization were left out of the letter as secrets; give all headers/,
    });
    const headers = [{ name: 'trace', value: Buffer.from('y') }];
    assert.equal((await letters.redrive(letter!.id, { again: true, change: { headers } })).times, 2);
  },
);

test('of a call that failed the record that was read is sent, while it is there', TIMEOUT, async () => {
  const log = memory();
  await log.admin.create(IN.name, { partitions: IN.partitions });
  const app = topology('calls');
  const fn = async (): Promise<number> => {
    throw new Error('the service said no');
  };
  app
    .stream(IN)
    .mapValues(({ n }) => n + 1)
    .mapAsync({ name: 'ask', concurrency: 4, key: string(), input: int64(), fn })
    .to(OUT);
  await put(log, 1, { n: 5 }, { trace: 'x' });
  const run = await start(log, app.build());
  const letters = openRecordLetters({ log, clock: systemClock });
  await until(async () => (await letters.list({})).rows.length === 1);
  await run.drain();
  const [letter] = (await letters.list({ application: 'calls' })).rows;
  assert.deepEqual([letter!.ofNode, letter!.from?.partition], [true, 1]);
  await letters.redrive(letter!.id);
  assert.deepEqual(
    (await sentOf(log)).map(({ partition, value, headers }) => [partition, value, headers['trace']]),
    [[1, '{"n":5}', 'x']],
  );
  await log.admin.deleteRecords(IN.name, 1, 2);
  await assert.rejects(letters.redrive(letter!.id, { again: true }), (thrown) => {
    return (
      isFlowError(thrown, 'dead-letter.not-redrivable') &&
      /position 0 any more.*give key and value/.test(thrown.message)
    );
  });
});

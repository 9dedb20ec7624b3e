import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { createRegistryClient } from './client.ts';
import { KnownSchemas } from './known-schemas.ts';
import type { SchemaRegistry } from './registry.ts';
import { type RestAnswer, type RestRequest, TransportFailure } from './transport.ts';

const TEXT = { type: 'AVRO', text: '"string"', references: [] };
const ok = (body: unknown): RestAnswer => ({ status: 200, body });
const error = (status: number, code: number): RestAnswer => ({
  status,
  body: { error_code: code, message: `said ${code}` },
});

/** A client whose registry answers as told, on a clock that turns as fast as it is waited for. */
function clientOf(answer: (request: RestRequest, call: number) => RestAnswer) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const client = createRegistryClient({
    name: 'http://registry:8081',
    clock,
    random: seededRandom(1),
    send: async (request) => {
      asked.push(`${request.method} ${request.path}`);
      return answer(request, asked.length);
    },
  });
  return { client, clock, asked };
}

async function turning<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  done.catch(() => undefined);
  while (!over) {
    await clock.turn();
    const next = clock.nextTimer();
    if (next !== undefined) clock.advance(next - clock.now());
  }
  return done;
}

const away = (): never => {
  throw new TransportFailure('unreachable', 'connect ECONNREFUSED');
};

test('what it knows it does not ask again, and many who ask at once ask once', async () => {
  const { client, asked } = clientOf(() => ok({ schema: TEXT.text }));
  const answers = await Promise.all([client.schema(1), client.schema(1), client.schema(1)]);
  assert.deepEqual(answers, [TEXT, TEXT, TEXT]);
  await client.schema(1);
  assert.deepEqual(asked, ['GET /schemas/ids/1']);
});

test('what is not there is not asked for again before its time', async () => {
  const { client, clock, asked } = clientOf((_, call) => (call < 3 ? error(404, 40403) : ok({ schema: TEXT.text })));
  assert.equal(await client.schema(7), undefined);
  assert.equal(await client.schema(7), undefined);
  assert.equal(asked.length, 1);
  clock.advance(30_000);
  assert.equal(await client.schema(7), undefined);
  assert.equal(asked.length, 2);
  clock.advance(30_000);
  assert.deepEqual(await client.schema(7), TEXT);
});

test('a registry that comes back within its patience is not noticed', async () => {
  const { client, clock, asked } = clientOf((_, call) => {
    if (call === 1) return away();
    return call < 4 ? error(503, 50301) : ok({ schema: TEXT.text });
  });
  assert.deepEqual(await turning(clock, client.schema(1)), TEXT);
  assert.equal(asked.length, 4);
});

test('a registry that is away is named, with the cure, and what is known is still served', async () => {
  let isAway = false;
  const { client, clock } = clientOf(() => (isAway ? away() : ok({ schema: TEXT.text })));
  await client.schema(1);
  isAway = true;
  assert.deepEqual(await client.schema(1), TEXT);
  await assert.rejects(turning(clock, client.schema(2)), (thrown) => {
    assert.ok(isFlowError(thrown, 'registry.unreachable'));
    assert.match(thrown.message, /http:\/\/registry:8081 has not answered for 10000 ms: connect ECONNREFUSED; check/);
    return true;
  });
  isAway = false;
  assert.deepEqual(await client.schema(2), TEXT);
});

test('answers that asking again does not change are errors of their own', async () => {
  const cases: readonly (readonly [answer: RestAnswer, code: string])[] = [
    [error(401, 401), 'registry.credentials'],
    [error(403, 40301), 'registry.credentials'],
    [error(409, 409), 'registry.incompatible'],
    [error(422, 42201), 'schema.invalid'],
    [error(422, 42205), 'registry.refused'],
    [{ status: 404, body: undefined }, 'registry.refused'],
  ];
  for (const [answer, code] of cases) {
    const { client, asked } = clientOf(() => answer);
    await assert.rejects(client.register('s', TEXT), (thrown) => isFlowError(thrown) && thrown.code === code, code);
    assert.equal(asked.length, 1, code);
  }
});

test('a version is read once, and a level by whichever name a registry gives it', async () => {
  const { client, asked } = clientOf(({ path }) => {
    if (path === '/subjects/s/versions') return ok([1, 2]);
    if (path === '/config/s') return error(404, 40408);
    if (path === '/config') return ok({ compatibility: 'FULL' });
    return ok({ id: Number(path.at(-1)) + 10, schema: TEXT.text });
  });
  assert.deepEqual(
    (await client.versions('s'))?.map(({ id }) => id),
    [11, 12],
  );
  await client.versions('s');
  assert.equal(asked.length, 4);
  assert.equal(await client.level('s'), 'FULL');
});

function registryOf(answer: (id: number) => Promise<string | undefined>): SchemaRegistry {
  const never = async (): Promise<never> => assert.fail('not asked for');
  return {
    name: 'http://registry:8081',
    figures: { requests: 0, failures: 0, cacheHits: 0, outage: undefined },
    schema: async (id) => {
      const text = await answer(id);
      return text === undefined ? undefined : { type: 'AVRO', text, references: [] };
    },
    parsed: async ({ text }) => ({ kind: JSON.parse(text) as 'string', logicalType: undefined }),
    ...{ register: never, lookUp: never, versions: never, level: never, close: () => undefined },
  };
}

test('it counts what it asked, what failed and what it knew, and since when nobody answers', async () => {
  let isAway = false;
  const { client, clock } = clientOf(({ path }) => {
    if (isAway) return away();
    return path.endsWith('/9') ? error(404, 40403) : ok({ schema: TEXT.text });
  });
  await Promise.all([client.schema(1), client.schema(1), client.schema(9)]);
  await client.schema(9);
  assert.deepEqual(client.figures, { requests: 2, failures: 0, cacheHits: 2, outage: undefined });
  isAway = true;
  const since = clock.now();
  await assert.rejects(turning(clock, client.schema(2)));
  const { requests, failures, cacheHits, outage } = client.figures;
  assert.ok(failures > 1);
  assert.deepEqual([requests, cacheHits], [2 + failures, 2]);
  assert.deepEqual(outage, { since, reason: 'connect ECONNREFUSED' });
  isAway = false;
  await client.schema(2);
  assert.deepEqual(client.figures, { requests: requests + 1, failures, cacheHits, outage: undefined });
});

test('an unknown writer is fetched however long the registry is away, told once', async () => {
  const { client, clock, asked } = clientOf((_, call) => (call < 30 ? away() : ok({ schema: TEXT.text })));
  const told: string[] = [];
  const known = new KnownSchemas({
    registry: client,
    clock,
    onAway: () => told.push('away'),
    onBack: () => told.push('back'),
  });
  assert.throws(() => known.want(5), /schema id 5 was not fetched from the registry http:\/\/registry:8081 yet/);
  assert.equal(known.away, undefined);
  const since = clock.now();
  const fetching = known.fetch();
  for (let turns = 0; turns < 10; turns++) await clock.turn();
  assert.deepEqual(known.away, { since, reason: 'connect ECONNREFUSED' });
  await turning(clock, fetching);
  assert.equal(known.away, undefined);
  assert.equal(known.wanting, false);
  assert.deepEqual(known.of(5), { kind: 'string', logicalType: undefined });
  assert.ok(asked.length >= 30);
  assert.deepEqual(told, ['away', 'back']);
});

test('a writer that the registry does not have is asked for again after a while', async () => {
  const clock = new VirtualClock();
  let there = false;
  const known = new KnownSchemas({ registry: registryOf(async () => (there ? '"string"' : undefined)), clock });
  known.onMiss(() => {
    throw new Error('miss');
  });
  assert.throws(() => known.want(5), /miss/);
  await known.fetch();
  assert.equal(known.of(5), 'schema id 5, which the registry http://registry:8081 does not have');
  there = true;
  clock.advance(29_999);
  assert.equal(typeof known.of(5), 'string');
  clock.advance(1);
  assert.equal(known.of(5), undefined);
  assert.throws(() => known.want(5), /miss/);
  await known.fetch();
  assert.equal(typeof known.of(5), 'object');
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { FlowError } from '../../core/errors.ts';
import type { FailureClass } from '../../events/events.ts';
import { FAMILIES } from './classes.ts';
import { classify, failureOf, retryAfterOf } from './classify.ts';
import { NodeFailure } from './node-failure.ts';

const error = (fields: object, message = 'as the library says') => Object.assign(new Error(message), fields);
/** As `pg` throws them. */
const pg = (code: string) => error({ name: 'error', severity: 'ERROR', code, length: 99, routine: 'exec' });
/** As `ioredis` throws what the server replied. */
const reply = (message: string) => error({ name: 'ReplyError', command: { name: 'get', args: [] } }, message);
/** As `kafkajs` throws what a broker answered. */
const kafkajs = (type: string, retriable: boolean) => error({ name: 'KafkaJSProtocolError', type, retriable, code: 1 });
/** As clients of HTTP throw answers: `status` (fetch wrappers) or `statusCode` (got, request). */
const http = (status: number) => error({ status, response: {} });

/** Errors as they are thrown in the field, with the class that each is of. */
const REAL: readonly (readonly [thrown: unknown, is: FailureClass, code: string])[] = [
  [error({ code: 'ECONNRESET', errno: -104, syscall: 'read' }, 'read ECONNRESET'), 'TRANSIENT', 'ECONNRESET'],
  [error({ code: 'ECONNREFUSED', syscall: 'connect' }), 'TRANSIENT', 'ECONNREFUSED'],
  [error({ code: 'ETIMEDOUT', syscall: 'connect' }), 'TRANSIENT', 'ETIMEDOUT'],
  [error({ code: 'EPIPE', syscall: 'write' }), 'TRANSIENT', 'EPIPE'],
  [error({ code: 'EHOSTUNREACH' }), 'TRANSIENT', 'EHOSTUNREACH'],
  [error({ code: 'ENETUNREACH' }), 'TRANSIENT', 'ENETUNREACH'],
  [error({ code: 'EAI_AGAIN', syscall: 'getaddrinfo' }), 'TRANSIENT', 'EAI_AGAIN'],
  [error({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }), 'PERMANENT', 'ENOTFOUND'],
  [error({ code: 'EACCES', syscall: 'open' }), 'USER', 'EACCES'],
  [error({ code: 'EPERM' }), 'USER', 'EPERM'],
  [error({ code: 'ENOSPC', syscall: 'write' }), 'SYSTEM', 'ENOSPC'],
  [error({ code: 'EMFILE', syscall: 'open' }), 'SYSTEM', 'EMFILE'],
  [error({ code: 'ENOMEM' }), 'SYSTEM', 'ENOMEM'],
  [error({ code: 'ERR_WORKER_OUT_OF_MEMORY' }), 'SYSTEM', 'ERR_WORKER_OUT_OF_MEMORY'],
  [error({ code: 'CERT_HAS_EXPIRED' }), 'PERMANENT', 'CERT_HAS_EXPIRED'],
  [error({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'PERMANENT', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [error({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'PERMANENT', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [new TypeError('fetch failed', { cause: error({ code: 'ECONNREFUSED' }) }), 'TRANSIENT', 'ECONNREFUSED'],
  [
    new TypeError('fetch failed', { cause: error({ code: 'UND_ERR_CONNECT_TIMEOUT' }) }),
    'TRANSIENT',
    'UND_ERR_CONNECT_TIMEOUT',
  ],
  [new TypeError('fetch failed', { cause: error({ code: 'UND_ERR_SOCKET' }) }), 'TRANSIENT', 'UND_ERR_SOCKET'],
  [
    new TypeError('fetch failed', { cause: new AggregateError([error({ code: 'ECONNREFUSED' })]) }),
    'TRANSIENT',
    'ECONNREFUSED',
  ],
  [new DOMException('The operation timed out', 'TimeoutError'), 'TRANSIENT', 'TimeoutError'],
  [new TypeError('Cannot read properties of undefined'), 'PERMANENT', 'TypeError'],
  [new RangeError('Maximum call stack size exceeded'), 'PERMANENT', 'RangeError'],
  [new SyntaxError('Unexpected token < in JSON'), 'PERMANENT', 'SyntaxError'],
  ['a text', 'PERMANENT', 'thrown'],
  [undefined, 'PERMANENT', 'thrown'],
  [pg('40P01'), 'TRANSIENT', 'pg.40P01'],
  [pg('40001'), 'TRANSIENT', 'pg.40001'],
  [pg('55P03'), 'TRANSIENT', 'pg.55P03'],
  [pg('57014'), 'TRANSIENT', 'pg.57014'],
  [pg('57P01'), 'TRANSIENT', 'pg.57P01'],
  [pg('57P03'), 'TRANSIENT', 'pg.57P03'],
  [pg('53300'), 'TRANSIENT', 'pg.53300'],
  [pg('08006'), 'TRANSIENT', 'pg.08006'],
  [pg('25006'), 'TRANSIENT', 'pg.25006'],
  [pg('53100'), 'SYSTEM', 'pg.53100'],
  [pg('58030'), 'SYSTEM', 'pg.58030'],
  [pg('XX000'), 'SYSTEM', 'pg.XX000'],
  [pg('28P01'), 'USER', 'pg.28P01'],
  [pg('42501'), 'USER', 'pg.42501'],
  [pg('23505'), 'PERMANENT', 'pg.23505'],
  [pg('23503'), 'PERMANENT', 'pg.23503'],
  [pg('22P02'), 'PERMANENT', 'pg.22P02'],
  [pg('42P01'), 'PERMANENT', 'pg.42P01'],
  [pg('42601'), 'PERMANENT', 'pg.42601'],
  [pg('P0001'), 'PERMANENT', 'pg.P0001'],
  [new Error('Connection terminated unexpectedly'), 'TRANSIENT', 'pg.connection'],
  [new Error('timeout exceeded when trying to connect'), 'TRANSIENT', 'pg.connection'],
  [reply('LOADING Redis is loading the dataset in memory'), 'TRANSIENT', 'redis.LOADING'],
  [reply('BUSY Redis is busy running a script'), 'TRANSIENT', 'redis.BUSY'],
  [reply('TRYAGAIN Multiple keys request during rehashing of slot'), 'TRANSIENT', 'redis.TRYAGAIN'],
  [reply('CLUSTERDOWN The cluster is down'), 'TRANSIENT', 'redis.CLUSTERDOWN'],
  [reply("READONLY You can't write against a read only replica."), 'TRANSIENT', 'redis.READONLY'],
  [reply('MOVED 3999 10.0.0.1:6381'), 'TRANSIENT', 'redis.MOVED'],
  [reply("OOM command not allowed when used memory > 'maxmemory'."), 'SYSTEM', 'redis.OOM'],
  [reply('MISCONF Redis is configured to save RDB snapshots'), 'SYSTEM', 'redis.MISCONF'],
  [reply('NOAUTH Authentication required.'), 'USER', 'redis.NOAUTH'],
  [reply('WRONGPASS invalid username-password pair'), 'USER', 'redis.WRONGPASS'],
  [reply('NOPERM this user has no permissions'), 'USER', 'redis.NOPERM'],
  [reply('WRONGTYPE Operation against a key holding the wrong kind of value'), 'PERMANENT', 'redis.WRONGTYPE'],
  [reply('NOSCRIPT No matching script.'), 'PERMANENT', 'redis.NOSCRIPT'],
  [reply("ERR unknown command 'foo'"), 'PERMANENT', 'redis.ERR'],
  [error({ name: 'MaxRetriesPerRequestError' }), 'TRANSIENT', 'redis.connection'],
  [new Error('Connection is closed.'), 'TRANSIENT', 'redis.connection'],
  [kafkajs('LEADER_NOT_AVAILABLE', true), 'TRANSIENT', 'kafka.LEADER_NOT_AVAILABLE'],
  [kafkajs('NOT_LEADER_FOR_PARTITION', true), 'TRANSIENT', 'kafka.NOT_LEADER_FOR_PARTITION'],
  [kafkajs('REQUEST_TIMED_OUT', true), 'TRANSIENT', 'kafka.REQUEST_TIMED_OUT'],
  [kafkajs('NOT_ENOUGH_REPLICAS', true), 'TRANSIENT', 'kafka.NOT_ENOUGH_REPLICAS'],
  [kafkajs('REBALANCE_IN_PROGRESS', false), 'TRANSIENT', 'kafka.REBALANCE_IN_PROGRESS'],
  [kafkajs('TOPIC_AUTHORIZATION_FAILED', false), 'USER', 'kafka.TOPIC_AUTHORIZATION_FAILED'],
  [kafkajs('SASL_AUTHENTICATION_FAILED', false), 'USER', 'kafka.SASL_AUTHENTICATION_FAILED'],
  [kafkajs('MESSAGE_TOO_LARGE', false), 'PERMANENT', 'kafka.MESSAGE_TOO_LARGE'],
  [kafkajs('INVALID_TOPIC_EXCEPTION', false), 'PERMANENT', 'kafka.INVALID_TOPIC_EXCEPTION'],
  [error({ name: 'KafkaJSConnectionError', broker: 'localhost:9092' }), 'TRANSIENT', 'kafka.KafkaJSConnectionError'],
  [error({ name: 'KafkaJSNonRetriableError', retriable: false }), 'PERMANENT', 'kafka.KafkaJSNonRetriableError'],
  [http(400), 'PERMANENT', 'http.400'],
  [http(404), 'PERMANENT', 'http.404'],
  [http(409), 'PERMANENT', 'http.409'],
  [http(422), 'PERMANENT', 'http.422'],
  [http(401), 'USER', 'http.401'],
  [http(402), 'USER', 'http.402'],
  [http(403), 'USER', 'http.403'],
  [http(408), 'TRANSIENT', 'http.408'],
  [http(425), 'TRANSIENT', 'http.425'],
  [http(429), 'TRANSIENT', 'http.429'],
  [http(500), 'TRANSIENT', 'http.500'],
  [error({ statusCode: 502 }), 'TRANSIENT', 'http.502'],
  [http(503), 'TRANSIENT', 'http.503'],
  [http(504), 'TRANSIENT', 'http.504'],
  [http(501), 'PERMANENT', 'http.501'],
  [new FlowError('kafka.unreachable', 'a broker is away'), 'TRANSIENT', 'kafka.unreachable'],
  [new FlowError('state.full', 'the disk is full'), 'SYSTEM', 'state.full'],
  [new FlowError('config.invalid', 'a key is wrong'), 'PERMANENT', 'config.invalid'],
  [new NodeFailure('USER', 'card-declined', 'the card was declined'), 'USER', 'card-declined'],
  [new Error('it failed', { cause: new NodeFailure('TRANSIENT', 'busy', 'later') }), 'TRANSIENT', 'busy'],
];

for (const [thrown, is, code] of REAL) {
  test(`${code} is ${is}`, () => {
    assert.deepEqual(classify(thrown), { class: is, code });
  });
}

test('errors that are really thrown', async () => {
  const caught = async (run: () => unknown) => {
    try {
      await run();
    } catch (thrown) {
      return classify(thrown);
    }
    throw new Error('nothing was thrown');
  };
  assert.deepEqual(await caught(() => readFileSync('/nowhere/at/all')), { class: 'PERMANENT', code: 'ENOENT' });
  assert.deepEqual(await caught(() => JSON.parse('{')), { class: 'PERMANENT', code: 'SyntaxError' });
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(await caught(() => fetch(`http://127.0.0.1:${port}`)), { class: 'TRANSIENT', code: 'ECONNREFUSED' });
  const timeout = () =>
    fetch('http://127.0.0.1:1', { signal: AbortSignal.abort(new DOMException('late', 'TimeoutError')) });
  assert.deepEqual(await caught(timeout), { class: 'TRANSIENT', code: 'TimeoutError' });
});

test('every row of the table has a class, and each class has rows', () => {
  const classes = FAMILIES.flatMap(({ codes }) => Object.values(codes));
  assert.ok(classes.length > 80);
  assert.deepEqual([...new Set(classes)].sort(), ['PERMANENT', 'SYSTEM', 'TRANSIENT', 'USER']);
});

test('a failure in the words of the engine; causes that go in a circle end', () => {
  const thrown = new NodeFailure('TRANSIENT', 'busy', 'come again', { detail: { queue: 7 }, retryAfterMs: 5000 });
  assert.deepEqual(failureOf(thrown, '/nodes/3'), {
    class: 'TRANSIENT',
    code: 'busy',
    message: 'come again',
    instance: '/nodes/3',
    detail: { queue: 7 },
  });
  assert.equal(retryAfterOf(thrown), 5000);
  const around = new Error('the call failed', { cause: thrown });
  assert.deepEqual(failureOf(around, ''), {
    class: 'TRANSIENT',
    code: 'busy',
    message: 'the call failed',
    instance: '',
    detail: { queue: 7 },
  });
  assert.equal(retryAfterOf(around), 5000);
  const over = Object.assign(new Error('reset', { cause: thrown }), { code: 'ECONNRESET' });
  assert.deepEqual([failureOf(over, '').detail, retryAfterOf(over)], [undefined, undefined]);
  const circle: { cause?: unknown } = new Error('round');
  circle.cause = circle;
  assert.deepEqual(classify(circle), { class: 'PERMANENT', code: 'Error' });
});

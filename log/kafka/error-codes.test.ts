import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, FlowError, isFlowError } from '../../core/errors.ts';
import { failureOf, KAFKA_ERRORS, Stale } from './error-codes.ts';
import { failureFrom, hintsAtTls } from './failures.ts';
import { loadLibrary } from './library.ts';

const library = await loadLibrary();

test('every error of the protocol that the library knows stands in the table, under its name', () => {
  for (const [id, name] of Object.entries(library.protocolErrorsCodesById)) {
    if (Number(id) !== 0) assert.equal(KAFKA_ERRORS[Number(id)]?.name, name, id);
  }
});

test('what passes becomes a stale answer, what does not an error of ours that names the thing and the cure', () => {
  for (const [id, { name, meaning, code, cure }] of Object.entries(KAFKA_ERRORS)) {
    const failure = failureOf(Number(id), 'reading orders/3', 'as the broker says');
    assert.match(failure.message, new RegExp(`${name} \\(${id}\\): as the broker says`));
    if (meaning === 'fatal') {
      assert.ok(failure instanceof FlowError && failure.code === code && code in ERRORS);
      assert.match(failure.message, /^reading orders\/3: /);
      assert.ok(cure !== '' && failure.message.endsWith(cure));
    } else assert.ok(failure instanceof Stale && failure.refresh === (meaning === 'refresh'), name);
  }
  assert.ok(isFlowError(failureOf(9999, 'reading orders/3'), 'kafka.refused'));
});

test('errors of the library are seen through to what the broker or the network said', () => {
  const { ResponseError, NetworkError, AuthenticationError, TimeoutError } = library;
  const answered = new ResponseError(19, 7, { '/topics/0': [38, 'only one broker'] }, {});
  const refused = failureFrom(answered, 'creating topic orders');
  assert.ok(isFlowError(refused, 'kafka.replication') && /only one broker/.test(refused.message));
  const passing = failureFrom(new ResponseError(2, 9, { '/topics/0/partitions/0': [6, null] }, {}), 'bounds');
  assert.ok(passing instanceof Stale && passing.refresh && passing.errorCode === 6);
  const closed = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
  const unreached = failureFrom(new NetworkError('Connection failed.', { cause: closed }), 'asking');
  assert.ok(unreached instanceof Stale && unreached.message === closed.message);
  assert.ok(failureFrom(new TimeoutError('Request timed out'), 'asking') instanceof Stale);
  const login = new NetworkError('Connection failed.', {
    cause: new AuthenticationError('SASL authentication failed.'),
  });
  assert.ok(isFlowError(failureFrom(login, 'connecting'), 'kafka.credentials'));
  const cut = new AuthenticationError('SASL authentication failed.', { cause: new NetworkError('Connection closed') });
  const unsaid = failureFrom(new NetworkError('Connection failed.', { cause: cut }), 'connecting');
  assert.ok(unsaid instanceof Stale && hintsAtTls(unsaid.message));
  const certificate = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const untrusted = failureFrom(new NetworkError('Connection failed.', { cause: certificate }), 'connecting');
  assert.ok(isFlowError(untrusted, 'kafka.security'));
  const ours = new FlowError('log.closed', 'the log was closed');
  assert.equal(failureFrom(new NetworkError('Connection failed.', { cause: ours }), 'connecting'), ours);
});

test('a fault of our own is not taken for one of the network', () => {
  const fault = new TypeError('x is not a function');
  assert.throws(
    () => failureFrom(fault, 'asking'),
    (thrown) => thrown === fault,
  );
});

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { createTelemetry, forgetSecrets, redact, redactText, registerSecret, registerSecretsOf } from './telemetry.ts';

const CANARY = 'c4n4ry-9f2e71';

afterEach(forgetSecrets);

const HOLDERS: readonly unknown[] = [
  { password: CANARY },
  { dbPassword: CANARY, user: 'u' },
  { nested: { list: [{ 'sasl.password': CANARY }] } },
  { apiKey: CANARY, api_key: CANARY, 'x-api-key': CANARY },
  { accessToken: CANARY, token: CANARY },
  { headers: { Authorization: `Bearer ${CANARY}`, cookie: CANARY } },
  { clientSecret: { inside: CANARY } },
  new Map([['secret', CANARY]]),
  `postgres://user:${CANARY}@db/x`,
  `login failed: password=${CANARY}, retry`,
  `{"password": "${CANARY}"}`,
  `found "{\\"password\\": \\"${CANARY}\\" ?"`,
  `Unexpected token '?', ..."word": ${CANARY}"... is not valid JSON`,
  `Authorization: Bearer ${CANARY}`,
  `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`,
  new Error(`token=${CANARY}`, { cause: { password: CANARY } }),
];

for (const holder of HOLDERS) {
  const shown = holder instanceof Error ? 'an error' : JSON.stringify(holder instanceof Map ? [...holder] : holder);
  test(`hides the secret in ${shown.replace(CANARY, '...').slice(0, 50)}`, () => {
    assert.doesNotMatch(JSON.stringify(redact(holder)), new RegExp(CANARY));
  });
}

test('hides a registered value wherever it turns up', () => {
  const holder = { plain: `x${CANARY}y`, [CANARY]: 1, list: new Set([CANARY]) };
  assert.match(JSON.stringify(redact(holder)), new RegExp(CANARY), 'before it is registered it is shown');
  registerSecret(CANARY);
  assert.doesNotMatch(JSON.stringify(redact(holder)), new RegExp(CANARY));
  assert.equal(redactText(`a ${CANARY} b`), 'a [hidden] b');
});

test('leaves what is no secret as it is', () => {
  const plain = { key: 'LAX', keys: 3, topic: 'flights', partition: 1, tokensUsed: 5, at: null, list: [1, true, 'x'] };
  assert.deepEqual(redact(plain), plain);
  assert.equal(redactText('topic flights, key LAX: 3 records'), 'topic flights, key LAX: 3 records');
});

test('copies circles, errors, dates, bytes and big integers', () => {
  const circle: Record<string, unknown> = { at: new Date(0), bytes: new Uint8Array(3), big: 5n };
  circle['self'] = circle;
  assert.deepEqual(redact(circle), { at: '1970-01-01T00:00:00.000Z', bytes: '[3 bytes]', big: '5', self: '[...]' });
});

test('no log line shows a secret, in fields, message or the fields of a child', () => {
  const lines: string[] = [];
  registerSecret('other-canary');
  const sink = { write: (line: string) => void lines.push(line) };
  const { log } = createTelemetry({ level: 'debug', form: 'json', sink, fields: { password: CANARY } });
  log.with({ token: CANARY }).warn({ error: new Error(`password=${CANARY}`) }, `secret: ${CANARY} other-canary`);
  log.debug({ holders: HOLDERS }, 'all');
  assert.equal(lines.length, 2);
  assert.doesNotMatch(lines.join(''), new RegExp(`${CANARY}|other-canary`));
});

test('what was hidden once is not touched again', () => {
  const once = redactText('token: abc-123, password="x y" at amqp://me:pw@host');
  assert.equal(once, 'token: [hidden], password=[hidden] at amqp://[hidden]@host');
  assert.equal(redactText(once), once);
});

test('values under telling names of an environment are registered, words are not', () => {
  registerSecretsOf({ STORE_PASSWORD: 'open sesame', HOME: '/home/me', TOKEN_MODE: 'plain', USE_COOKIE: 'true' });
  assert.equal(redactText('open sesame in /home/me is true'), '[hidden] in /home/me is true');
  forgetSecrets();
});

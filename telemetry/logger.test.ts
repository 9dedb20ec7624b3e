import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTelemetry } from './telemetry.ts';

function logInto(form: 'json' | 'plain', level: 'debug' | 'info') {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  const { log } = createTelemetry({ form, level, sink, fields: { application: 'flights' } });
  return { log, lines };
}

test('a line is JSON with time, level, the fields of its log and its own', () => {
  const { log, lines } = logInto('json', 'info');
  log.with({ task: 'a_0' }).info({ node: 'count' }, 'started');
  log.debug({}, 'not at this level');
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: 'info', application: 'flights', task: 'a_0', node: 'count', message: 'started' });
  assert.equal(lines.length, 1);
});

test('for a person the same line is plain text', () => {
  const { log, lines } = logInto('plain', 'debug');
  log.warn({ topic: 'a b', count: 3 }, 'slow');
  assert.match(lines[0]!, /^\d\d:\d\d:\d\d warn {2}slow application=flights topic="a b" count=3\n$/);
});

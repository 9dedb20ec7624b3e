import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../lifecycle/lifecycle.ts';
import { type CommandMessage, commandCopy } from './messages.ts';

/** All objects that are within a value. */
function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null) return found;
  found.add(value);
  for (const each of Object.values(value)) objectsIn(each, found);
  return found;
}

const payloads: readonly unknown[] = [
  ...[null, true, 'text', 5, -0, Number.NaN, undefined],
  ...[{ a: [1, { b: undefined }], at: new Date(0) }, [[], {}], { __proto__: null, name: 'bare' }],
];

test('the copy of a command is what comes over the log, and shares no object with it', () => {
  for (const payload of payloads) {
    const command = { type: 'signal', name: 'paid', id: 's', payload } as Command;
    for (const more of [{}, { w: 'order', v: '2' }, { by: 'ann', at: 5 }]) {
      const message: CommandMessage = { x: 'order-7', c: command, id: 'c', ...more };
      const { value } = commandCopy(message);
      assert.equal(JSON.stringify(value), JSON.stringify(message));
      const [theirs, ours] = [objectsIn(message), objectsIn(value)];
      assert.ok([...ours].every((each) => !theirs.has(each)));
      if (typeof payload === 'number') assert.ok(!Object.is((value.c as { payload?: unknown }).payload, -0));
    }
  }
});

test('its characters are those of what its fields hold', () => {
  const command = { type: 'signal', name: 'paid', id: 's', payload: { text: 'x'.repeat(1000) } } as Command;
  const { characters } = commandCopy({ x: 'order-7', c: command, id: 'c' });
  assert.ok(characters >= 1000 && characters < 1100);
});

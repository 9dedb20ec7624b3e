import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failpointFromText } from './failpoints.ts';

test('an action happens at the hit that was asked for, and at no other place', () => {
  const hook = failpointFromText('commit.begun:2:throw');
  hook('commit.begun');
  hook('commit.ending');
  assert.throws(() => hook('commit.begun'), /failpoint commit\.begun/);
  hook('commit.begun');
});

test('an action that there is none of is refused, and not taken for another', () => {
  assert.throws(() => failpointFromText('commit.begun:1:kil'), /no action kil.*kill, term, stop or throw/);
});

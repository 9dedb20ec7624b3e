import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentOf, settings } from '../segments/jobs.fixture.ts';
import { validateDocument } from '../validate.ts';

test('a function that is none is a fault of the configuration, whatever it is called', () => {
  for (const name of ['median', 'constructor', 'toString']) {
    const document = documentOf(
      [
        ['items', 'map.items'],
        ['total', 'op.aggregate', { function: name }],
        ['all', 'collect'],
      ],
      ['items > total', 'total > all'],
    );
    const faults = validateDocument(document, settings).map(({ code, pointer }) => [code, pointer]);
    assert.deepEqual(faults, [['workflow.config', '/nodes/1/data/config/function']], name);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { loadLibrary } from './library.ts';

test('where the library is not installed, the message says how to have it; once it is, it loads', async () => {
  const missing = () => import(`kafkajs-${'missing'}`);
  await assert.rejects(loadLibrary(missing), (thrown: Error) => {
    return isFlowError(thrown, 'log.unsupported') && /npm install kafkajs@2/.test(thrown.message);
  });
  assert.equal(typeof (await loadLibrary()).Kafka, 'function');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, isFlowError } from '../core/errors.ts';
import { int64, json, openEngine, run, string, topic, topology } from '../index.ts';
import type { TopicSettings } from '../log/log.ts';

/** Topics that an application makes for itself, found with other settings: the start is refused with the cure. */
const app = topology('shop');
app
  .stream(topic('orders', { key: string(), value: json(), partitions: 2 }))
  .groupByKey()
  .count({ store: 'n' })
  .toStream()
  .to(topic('counts', { key: string(), value: int64(), partitions: 2 }));

const CHANGELOG = 'nf.shop.n.changelog';
const WRONG: readonly (readonly [TopicSettings, ErrorCode, RegExp])[] = [
  [{ partitions: 2 }, 'topic.settings', /is not compacted, .* set its cleanup to compact$/],
  [
    { partitions: 2, cleanup: 'compact,delete', retentionMs: 1000 },
    'topic.settings',
    /deletes rows after 1000 ms, .* set its retention to -1$/,
  ],
  [
    { partitions: 3, cleanup: 'compact' },
    'topic.partitions',
    /3 partitions where the plan says 2; change the topology back, or reset the application$/,
  ],
];

for (const [settings, code, cure] of WRONG) {
  test(`a changelog with ${JSON.stringify(settings)} is refused`, async () => {
    const engine = await openEngine({ log: 'memory' });
    await engine.log.admin.create('orders', { partitions: 2 });
    await engine.log.admin.create(CHANGELOG, settings);
    await assert.rejects(run(app, { engine }), (thrown: Error) => {
      assert.ok(isFlowError(thrown, code), String(thrown));
      assert.ok(thrown.message.startsWith(`topic ${CHANGELOG} `), thrown.message);
      assert.match(thrown.message, cure);
      return true;
    });
    assert.deepEqual([...(await engine.log.admin.list())].sort(), [CHANGELOG, 'orders'], 'nothing was made');
    await engine.close();
  });
}

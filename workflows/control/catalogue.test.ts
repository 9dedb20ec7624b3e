import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, FlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { Catalogue } from './catalogue.ts';
import { prepareControlTopics } from './topics.ts';

/** A log whose first commits fail with this, as where another process has the same transactional id. */
function overtaken(log: Log, code: ErrorCode, times: number): Log {
  let left = times;
  return new Proxy(log, {
    get(target, name) {
      if (name !== 'producer') {
        const found: unknown = Reflect.get(target, name);
        return typeof found === 'function' ? found.bind(target) : found;
      }
      return async (options: Parameters<Log['producer']>[0]) => {
        const producer = await target.producer(options);
        const { commit } = producer;
        producer.commit = async () => {
          if (left-- > 0) throw new FlowError(code, 'another has it');
          await commit.call(producer);
        };
        return producer;
      };
    },
  });
}

for (const code of ['log.fenced', 'log.aborted', 'log.full'] as const) {
  test(`who publishes while another process does, and is told ${code}, does so again where that helps`, async () => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    await prepareControlTopics(log.admin, 1);
    const catalogue = await Catalogue.open({ log: overtaken(log, code, 1), clock: systemClock });
    const definition = { id: 'a', version: '1.0.0', hash: 'h', document: {}, publishedAt: 1, publishedBy: null };
    const publishing = catalogue.publish(definition);
    if (code === 'log.full') await assert.rejects(publishing, { code });
    else assert.equal((await publishing).hash, 'h');
    await catalogue.close();
    await log.close();
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrived, put, served, sums } from './streams.fixture.ts';

/** Sums of orders, beside a node that counts in a session what has begun. */
function counting(version: string) {
  const { nodes, ...document } = sums(version);
  const session = { name: 'begun', id: 'all', ttl: '1h', keys: { times: { default: 0 } } };
  const mark = {
    id: 'mark',
    type: 'expression',
    data: {
      config: { value: '= session.times + 1' },
      session: { read: ['times'], write: { times: '= outputs.out' } },
    },
  };
  return { ...document, session, nodes: [...nodes, mark] };
}

test(
  'what was written to a session is not lost at a savepoint, and not written again by what goes on',
  {
    timeout: 240_000,
  },
  () =>
    served(async (log, workflows) => {
      await workflows.publish(counting('1.0.0'));
      await workflows.publish(counting('2.0.0'));
      await put(log, 1, 2);
      await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
      await arrived(log, 2);
      await workflows.upgrade('x', { version: '2.0.0' });
      await put(log, 3);
      await arrived(log, 3);
      const open = await workflows.session('begun', 'all');
      assert.deepEqual([open?.holder?.execution, open?.values], ['x/~2', { times: 1 }]);
      await workflows.end('x/~2');
      const { status, error } = await workflows.ended('x/~2');
      assert.equal(status, 'COMPLETED', JSON.stringify(error));
      assert.deepEqual((await workflows.session('begun', 'all'))?.values, { times: 1 });
    }),
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { confluentLibrary } from '../../integration-tests/support/confluent.ts';
import { createConfluentLog } from './confluent.ts';

const libraryFrom = await confluentLibrary();
const brokers = await testBrokers();

if (brokers !== undefined && libraryFrom !== undefined) {
  // A consumer that stays open keeps this process from ending, so that the file would be late.
  for (const afterMs of [0, 20, 400]) {
    test(`a log that is closed ${afterMs} ms behind a call to join leaves nothing open`, {
      timeout: 240_000,
    }, async () => {
      const log = await createConfluentLog({
        ...{ brokers: brokers.addresses.brokers, libraryFrom },
        ...{ clock: systemClock, random: seededRandom(1 + afterMs) },
      });
      const joined = log.join({
        ...{ group: `hasty-${process.pid}-${systemClock.now()}`, name: 'member', metadata: '' },
        assign: (members) => new Map(members.map(({ member }) => [member, { tasks: ['t'], metadata: '' }])),
        ...{ onAssign: () => undefined, onRevoke: async () => undefined, onLost: () => undefined },
      });
      const outcome = joined.then(
        () => 'joined',
        (thrown: unknown) => (isFlowError(thrown, 'log.closed') ? 'closed' : String(thrown)),
      );
      await systemClock.sleep(afterMs);
      await log.close();
      assert.match(await outcome, /^(joined|closed)$/);
    });
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import type { LogProducer } from '../log/log.ts';
import { Committer, type EpochPart } from './committer.ts';
import type { Outputs } from './outputs.ts';

const NOTHING = { seal: () => undefined, take: () => [] } as unknown as Outputs;
const PART = {
  ...{ task: 't_0', partition: 0, positions: [], ended: undefined, changelog: () => 'changes' },
  cut: { rows: 0, bytes: 0, forEach: () => undefined },
  state: { committed: () => undefined },
} as unknown as EpochPart;

test('whoever waits for an epoch is told before anybody can begin the next one', async () => {
  const committer = new Committer({
    ...{ guarantee: 'exactly-once', producer: {} as LogProducer, outputs: NOTHING, step: new Step() },
    ...{ ledgerTopic: 'ledger', identityFor: () => undefined, nextIdentity: async () => undefined },
  });
  committer.commit([PART]);
  let told = false;
  committer.settled().then(() => {
    told = true;
  }, assert.fail);
  while (committer.committing) await undefined;
  assert.ok(told);
});

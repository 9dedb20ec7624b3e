import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Log } from '../log/log.ts';
import { Ledger } from './ledger.ts';

for (const what of ['bounds', 'fetch'] as const) {
  test(`a ledger that cannot be read leaves no reader open: ${what} fails`, async () => {
    let open = 0;
    const answer = (asked: typeof what) => {
      if (asked === what) throw new FlowError('log.timeout', 'the log is away');
    };
    const log = {
      admin: {
        async bounds() {
          answer('bounds');
          return { start: 0, stable: 1, end: 1 };
        },
      },
      reader() {
        open++;
        return {
          assign: () => undefined,
          fetch: async () => answer('fetch'),
          close: async () => void open--,
        };
      },
    };
    await assert.rejects(Ledger.open(log as unknown as Log, 'shop', systemClock), /the log is away/);
    assert.equal(open, 0);
  });
}

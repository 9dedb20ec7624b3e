import { readFileSync } from 'node:fs';
import { NodeFailure, type ServedWorkflows, type TaskContext } from '../../index.ts';

/**
 * An order with payment, approval, retries and compensation: `npm run demo`. The shop behind it is played here: a card
 * that begins with `busy` answers the third time, `bad` is declined, and nobody ships to `nowhere`.
 */
const document: unknown = JSON.parse(readFileSync(new URL('workflow.json', import.meta.url), 'utf8'));

/** What was done and undone, by the key that all attempts of a node share: so each counts once. */
export const done = new Map<string, string>();

interface Charge {
  readonly card: string;
  readonly amount: number;
}

export const workflows: ServedWorkflows = {
  documents: [document],
  hints: [
    '',
    'Try, in another terminal:',
    `  npm run nodeflow -- execution start order --input '{"customer":"ann","total":80,"card":"busy"}' --wait`,
    `  npm run nodeflow -- execution start order --input '{"customer":"bob","total":5000,"card":"good"}'   # waits for you`,
    `  npm run nodeflow -- execution start order --input '{"customer":"nowhere","total":80,"card":"good"}' --wait   # undone`,
    '  npm run nodeflow -- execution list',
    '  npm run nodeflow -- execution show ID        # its token, to approve it with',
    '  npm run nodeflow -- execution approve TOKEN',
    '  npm run nodeflow -- execution watch          # events as they come',
  ],
  tasks: {
    reserve: async (argument, { idempotencyKey }) => note(idempotencyKey, 'reserved', argument as object),
    release: async (_, { idempotencyKey }) => note(idempotencyKey, 'released', {}),
    async charge(argument, context) {
      const { card, amount } = argument as unknown as Charge;
      if (card.startsWith('bad')) throw new NodeFailure('PERMANENT', 'card-declined', `the card ${card} was declined`);
      if (card.startsWith('busy') && context.attempt < 3) {
        throw new NodeFailure('TRANSIENT', 'bank-busy', 'the bank is busy', { retryAfterMs: 50 });
      }
      return note(context.idempotencyKey, 'charged', { amount, receipt: receiptOf(context) });
    },
    refund: async (_, { idempotencyKey }) => note(idempotencyKey, 'refunded', {}),
    async ship(argument, { idempotencyKey }) {
      const { customer } = argument as { readonly customer: string };
      if (customer === 'nowhere') throw new NodeFailure('PERMANENT', 'no-address', 'nobody ships there');
      return note(idempotencyKey, 'shipped', argument as object);
    },
  },
};

function receiptOf({ execution }: TaskContext): string {
  return `receipt of ${execution}`;
}

function note<T extends object>(key: string, what: string, more: T) {
  done.set(key, what);
  return { [what]: true, ...more };
}

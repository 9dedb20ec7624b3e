import type { FlowError } from '../../core/errors.ts';
import { type FeedCursor, type FeedFilter, type NamedEvent, readReference, takes } from '../../events/events.ts';
import type { Answer, Definition, Workflows } from '../../workflows/workflows.ts';

const SCHEDULE = {
  workflow: 'orders',
  version: '1.0.0',
  cron: '@daily',
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: 'last',
};

const SESSION = {
  ...{ name: 'cart', id: 'ann', seq: 4, values: { items: ['tea'] }, expiresAt: null, waiting: 2 },
  holder: { execution: 'e1', since: 1000 },
};

const MARK = { at: 9, by: 'ann', to: { topic: 'orders', partition: 1, position: 4 }, times: 1 };
const LETTER = {
  ...{ id: 'nf.shop.dead-letters:3', kind: 'record', at: 5, application: 'shop', task: 't_0', workflow: null },
  ...{ execution: null, node: 'map', iteration: '', from: { topic: 'orders', partition: 1, position: 2 } },
  ...{ reason: 'failed', class: 'PERMANENT', code: 'record.failed', message: 'no', redrives: 1, redriven: MARK },
};
const RECORD = {
  ...{ key: { bytes: 1, text: 'k' }, value: { bytes: 7, json: { n: 1 } }, timestamp: 7, hidden: ['cookie'] },
  ...{ headers: [{ name: 'trace', value: { bytes: 1, text: 'x' } }], ofNode: false },
};

/** What was asked of it, in order, and answers that tests lay out. For routes alone: nothing runs. */
export class FakeWorkflows {
  readonly asked: (readonly [name: string, ...args: unknown[]])[] = [];
  readonly subscribers = new Set<{ readonly filter: FeedFilter; take(event: NamedEvent, cursor: FeedCursor): void }>();
  readonly from: (FeedCursor | undefined)[] = [];
  readonly document = { id: 'orders', version: '1.0.0', name: 'Orders' };
  readonly definition = {
    id: 'orders',
    version: '1.0.0',
    hash: 'h1',
    document: this.document,
    publishedAt: 5,
    publishedBy: null,
  };
  readonly forked = { execution: 'e2', definition: this.definition, existing: false };
  view: object = { id: 'e1', status: 'RUNNING' };
  feedEnded: Promise<void> = new Promise(() => undefined);
  failure: FlowError | undefined;

  get workflows(): Workflows {
    const answer: Answer = { execution: 'e1', seq: 7 };
    const note =
      (name: string, result: unknown) =>
      async (...args: unknown[]) => {
        this.asked.push([name, ...args]);
        if (this.failure !== undefined) throw this.failure;
        return result;
      };
    const commands = [
      'signal',
      'approve',
      'cancel',
      'end',
      'savepoint',
      'forget',
      'pause',
      'resume',
      'retryFrom',
      'intervene',
      'patch',
    ];
    const definition = this.definition as unknown as Definition;
    return {
      ...Object.fromEntries(commands.map((name) => [name, note(name, answer)])),
      catalog: { types: [], find: () => undefined },
      validate: () => [{ code: 'workflow.cycle', pointer: '/nodes/0', message: 'a > b > a', cure: 'break it' }],
      publish: note('publish', definition),
      definitions: note('definitions', [definition]),
      definition: async (id: string, version?: string) =>
        id === 'orders' && (version ?? '1.0.0') === '1.0.0' ? definition : undefined,
      start: note('start', { execution: 'e1', definition, existing: false }),
      fork: note('fork', this.forked),
      upgrade: note('upgrade', this.forked),
      deadLetters: note('deadLetters', { rows: [LETTER], next: 'further' }),
      deadLetter: note('deadLetter', { ...LETTER, record: RECORD, input: null }),
      redrive: note('redrive', { id: LETTER.id, kind: 'record', existing: false, ...MARK, execution: null, seq: null }),
      redriveAll: async (query: { readonly after?: string }, options: { readonly preview?: boolean }) => {
        this.asked.push(['redriveAll', query, options]);
        if (this.failure !== undefined) throw this.failure;
        return this.redriven(query.after, options.preview === true);
      },
      schedules: async () => [{ ...SCHEDULE, next: 86_400_000, last: 0, running: null, queued: 0, leftOut: 0 }],
      backfill: note('backfill', [
        { execution: 'orders@1970-01-02T00:00:00Z', at: 86_400_000, from: 0, existing: false },
      ]),
      execution: async (id: string) => (id === 'e1' ? this.view : undefined),
      executionAt: note('executionAt', { id: 'e1', seq: 3 }),
      history: note('history', []),
      session: async (name: string, id: string, options: unknown) => {
        this.asked.push(['session', name, id, options]);
        return id === 'ann' ? SESSION : undefined;
      },
      clearSession: note('clearSession', undefined),
      output: async (reference: string) => {
        this.asked.push(['output', reference]);
        const { execution, seq, at } = readReference(reference);
        if (execution !== 'e1') return undefined;
        const place = at ?? { node: null, iteration: '', port: null };
        return { reference, execution, seq, at: 5, ...place, bytes: 11, schema: null, value: { total: 3 } };
      },
      schemas: async () => ({ a1: { type: 'number' } }),
      explain: note('explain', { node: 'pay', iteration: '', status: 'PENDING', text: 'it waits', waitsFor: [] }),
      feed: {
        cursor: [0],
        steps: () => ({ ended: new Promise(() => undefined), close: () => undefined }),
        events: (
          filter: FeedFilter,
          from: FeedCursor | undefined,
          take: (event: NamedEvent, cursor: FeedCursor) => void,
        ) => {
          const subscriber = { filter, take };
          this.subscribers.add(subscriber);
          this.from.push(from);
          return { ended: this.feedEnded, close: () => this.subscribers.delete(subscriber) };
        },
        close: async () => undefined,
      },
    } as unknown as Workflows;
  }

  /** Two pages: the first of one that goes, the second of one that does not. */
  redriven(after: string | undefined, preview: boolean): object {
    if (after === 'further') {
      const why = 'nf.segments.dead-letters:1 cannot be redriven: execution e1 has ended';
      const refused = { outcome: 'refused', id: 'nf.segments.dead-letters:1', code: 'dead-letter.not-redrivable', why };
      return { rows: [{ ...refused, kind: 'record' }], next: null };
    }
    const { id, kind } = LETTER;
    const outcome = preview
      ? { outcome: 'ready', to: { topic: 'orders', partition: 1 } }
      : { outcome: 'redriven', ...MARK };
    return { rows: [{ id, kind, ...outcome }], next: 'further' };
  }

  emit(event: Partial<NamedEvent>, cursor: FeedCursor): void {
    const whole = {
      ...{ type: 'NODE_STATE_CHANGED', workflow: 'orders', execution: 'e1', seq: 1, index: 0, at: 1, node: 'pay' },
      ...{ nodeType: 'expression', iteration: '', data: {}, ...event },
    } as NamedEvent;
    for (const { filter, take } of this.subscribers) if (takes(filter, whole)) take(whole, cursor);
  }
}

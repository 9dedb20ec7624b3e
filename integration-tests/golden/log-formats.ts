import { isDeepStrictEqual } from 'node:util';
import { Ledger, type LedgerRow, ledgerTopic, planRow } from '../../checkpoints/checkpoints.ts';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { MIGRATIONS } from '../../projections/migrations.ts';
import { PLAN_FORMAT } from '../../topology/plan.ts';
import { asPlan } from '../../topology/read-plan.ts';
import { type Format, plain } from './format.ts';
import { goldenProgram } from './program.ts';

type Row = readonly [key: string, value: Json];

interface Run {
  readonly run: { readonly run: number; readonly complete: boolean; readonly ends: { [at: string]: number } };
  readonly tasks: { readonly [task: string]: { readonly ends: { [at: string]: number }; readonly topics?: string[] } };
  readonly plan: Json;
  readonly next: string | null;
}

async function ledgerOver<T>(rows: readonly Row[], use: (ledger: Ledger) => T): Promise<T> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(ledgerTopic('golden'), { partitions: 1 });
  if (rows.length > 0) {
    const builder = new BatchBuilder(new Step());
    for (const [key, value] of rows) {
      const [name, text] = [Buffer.from(key), Buffer.from(JSON.stringify(value))];
      builder.append(0, name, 0, name.length, text, 0, text.length);
    }
    const producer = await log.producer({});
    await producer.append(ledgerTopic('golden'), 0, builder.finish());
    await producer.close();
  }
  const ledger = await Ledger.open(log, 'golden', systemClock);
  try {
    return use(ledger);
  } finally {
    await ledger.close();
    await log.close();
  }
}

/** Who has ended, and where, and the plan that the state belongs to. */
const ledger: Format = {
  name: 'ledger',
  version: 1,
  sample: async () => ({
    run: { run: 3, complete: false, ends: { 'events/0': 12 } },
    tasks: {
      'source.a_0': { ends: { 'out/0': 7, 'out/1': 0 } },
      'source.b_0': { ends: { 'mid/0': 2 }, topics: ['mid'] },
    },
    plan: { format: 1, name: 'golden' },
    next: 'abc',
  }),
  async write(value) {
    const { run, tasks, plan, next } = value as unknown as Run;
    const rowOf = ({ key, value: each }: LedgerRow): Row => [key, each];
    const first = await ledgerOver([], (empty) => rowOf(empty.runRow(run)));
    const rest = await ledgerOver([first], (begun) =>
      Object.entries(tasks).map(([task, { ends, topics }]) => rowOf(begun.taskRow(task, ends, topics))),
    );
    return plain([first, ...rest, rowOf(planRow(0, { plan, next }))]);
  },
  read: (written) =>
    ledgerOver(written as unknown as readonly Row[], (read) => {
      const names = (written as unknown as readonly Row[]).flatMap(([key]) =>
        key.startsWith('task/') ? [key.slice(5)] : [],
      );
      const tasks = names.map((task) => {
        const ends = read.ended(task);
        if (ends !== undefined) return [task, { ends }];
        return [task, { ends: read.ended(task, 'mid')!, topics: ['mid'] }];
      });
      return plain({ run: read.run, tasks: Object.fromEntries(tasks), ...read.plan });
    }),
};

/** The plan of a program, as it is described, compared and kept in the ledger. */
const plan: Format = {
  name: 'plan',
  version: PLAN_FORMAT,
  sample: async () => 'golden',
  write: async () => plain(goldenProgram().plan),
  read: async (written) => asPlan(written, 'a kept plan').name,
};

/** The tables of the read side, which lie on disk or in a server: what was published is never changed. */
const readSide: Format = {
  name: 'read-side',
  version: MIGRATIONS.length,
  sample: async () => 'unchanged',
  write: async () => plain(MIGRATIONS),
  async read(written) {
    const kept = written as readonly Json[];
    return isDeepStrictEqual(kept, plain(MIGRATIONS.slice(0, kept.length))) ? 'unchanged' : 'changed';
  },
};

export const LOG_FORMATS: readonly Format[] = [ledger, plan, readSide];

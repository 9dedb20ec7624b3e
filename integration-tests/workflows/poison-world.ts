import assert from 'node:assert/strict';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { Log } from '../../log/log.ts';
import { added, document, numberType } from '../../workflows/control/testing/small-documents.ts';
import type { Workflows } from '../../workflows/workflows.ts';
import { openAt, type Place } from './world.ts';

/** Of what a process ends, by the number of the node. */
export const ENDS = ['exit', 'kill', 'throw'] as const;
export const INNOCENT = 24;
/** Fewer than by default, since each costs a process. */
export const QUARANTINE = { groupAfter: 1, groupOf: 4, aloneAfter: 2, heldAfter: 3 };

const POISON = numberType('poison', {
  kind: 'task',
  async run(config) {
    const how = ENDS[(config as { readonly n: number }).n];
    if (how === 'exit') process.exit(7);
    await systemClock.sleep(50);
    if (how === 'kill') process.kill(process.pid, 'SIGKILL');
    // as what a function forgets to catch
    setImmediate(() => {
      throw new Error('nobody catches it');
    });
    return await new Promise<never>(() => undefined);
  },
});

const INNOCENT_TASK = numberType('innocent', {
  kind: 'task',
  async run(config, inputs, { random, signal }) {
    await systemClock.sleep(Math.floor(random() * 300), signal);
    return added(config, inputs);
  },
});

const poisonOf = (how: (typeof ENDS)[number]) =>
  document(`poison-${how}`, [['a', 'poison', { n: ENDS.indexOf(how) }]], [], { a: { retry: { maxAttempts: 1 } } });

export const DOCUMENTS: readonly Json[] = [
  ...ENDS.map(poisonOf),
  document(
    'innocent',
    [
      ['a', 'innocent', { n: 1 }],
      ['b', 'innocent', { n: 1 }],
    ],
    ['a b'],
  ),
];

export function openPoison(place: Place, log: Log): Promise<Workflows> {
  return openAt(place, log, [POISON, INNOCENT_TASK], { quarantine: QUARANTINE });
}

/** Whether a node of the execution waits for somebody. */
export async function isHeld(workflows: Workflows, execution: string): Promise<boolean> {
  const view = await workflows.execution(execution);
  return view?.nodes.some((node) => (node.error as { code?: string } | null)?.code === 'workflow.quarantined') ?? false;
}

/** All innocent ones have completed, it waits for somebody with its attempts whole, and goes on as it is told. */
export async function assertHeld(workflows: Workflows, execution: string): Promise<void> {
  for (let i = 0; i < INNOCENT; i++) assert.deepEqual((await workflows.ended(`x${i}`)).output, { b: i + 2 });
  assert.ok(await isHeld(workflows, execution));
  const { text } = await workflows.explain(execution, 'a');
  assert.match(text, /^a does not run now.*waits for an intervention: workflow\.quarantined, 3 processes in a row/);
  const failed = (await workflows.history(execution)).flatMap(({ events }) =>
    events.flatMap((each) => (each.type === 'attempt-failed' ? [`${each.error.class} ${each.decision}`] : [])),
  );
  assert.deepEqual(failed, ['SYSTEM retry', 'SYSTEM retry', 'SYSTEM hold']);
  await workflows.intervene(execution, 'a', { action: 'output', value: 'mended' });
  assert.deepEqual((await workflows.ended(execution)).output, { a: 'mended' });
}

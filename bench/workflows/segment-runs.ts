import type { Json } from '../../core/ids.ts';
import type { WorkflowDocument } from '../../workflows/document.ts';
import { documentOf } from '../../workflows/segments/jobs.fixture.ts';
import { openWorld, saturate } from './measure.ts';

/** Three items by key over a repartition topic into sums: all that a run costs, and hardly a record. */
const SUMS: WorkflowDocument = {
  ...documentOf(
    [
      ['items', 'map.items', { items: '[input, input + 1, input + 2]' }],
      ['by', 'op.select-key', { key: "value % 2 == 0 ? 'even' : 'odd'", partitions: 2 }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
      ['all', 'collect', { newest: true }],
    ],
    ['items > by', 'by > sums', 'sums > all'],
  ),
  mode: 'batch',
};

/** Where the topics of runs lie, by the workflow that asks for it. */
const KINDS = { shared: SUMS, dedicated: { ...SUMS, id: 'own', dedicated: true } };
const WARM = 40;

/** Runs of a small batch a second, so many at once: in lanes that they share, then with topics of their own. */
export async function segmentRuns(count: number, atOnce: number, brokers: string | undefined) {
  const figures: { [name: string]: number } = { runs: count, atOnce };
  const world = await openWorld(brokers === undefined ? {} : { brokers }, { slots: { default: atOnce } });
  let ended = 0;
  const run = async (workflow: string, runs: number) => {
    await saturate(world.workflows, workflow, runs, atOnce);
    ended += runs;
    await world.allEnded(ended);
  };
  try {
    for (const [kind, document] of Object.entries(KINDS)) {
      await world.workflows.publish(document);
      await run(document.id, WARM);
      const cpu = process.cpuUsage();
      const began = performance.now();
      await run(document.id, count);
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      figures[`${kind}PerSecond`] = Number((count / seconds).toFixed(1));
      figures[`${kind}CpuMs`] = Number(((user + system) / 1000 / count).toFixed(1));
    }
    await world.verify(ended, sumsOf);
    return figures;
  } finally {
    await world.close();
  }
}

function sumsOf(input: number): Json {
  const twice = 2 * input + 2;
  return { all: input % 2 === 0 ? { even: twice, odd: input + 1 } : { even: input + 1, odd: twice } };
}

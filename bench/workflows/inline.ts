import { tenNodes } from '../../workflows/control/testing/small-documents.ts';
import { openWorld, saturate, tenNodesResult } from './measure.ts';

const count = Number(process.argv[2] ?? 100_000);
const world = await openWorld();
await world.workflows.publish(tenNodes());
await saturate(world.workflows, 'ten', 20_000, 10_000);
const began = performance.now();
const cpu = process.cpuUsage();
await saturate(world.workflows, 'ten', count, 10_000);
const seconds = (performance.now() - began) / 1000;
const used = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    row: 'inline-embedded',
    nodesPerSecond: Math.round((count * 10) / seconds),
    cpuSeconds: (used.user + used.system) / 1e6,
    seconds,
  }),
);
await world.verify(count + 20_000, tenNodesResult);
await world.close();

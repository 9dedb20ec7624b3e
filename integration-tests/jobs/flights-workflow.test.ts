import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { dataFile } from '../../examples/flights/topology.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../../workflows/create-language.ts';
import { runSegment } from '../../workflows/segments/segments.ts';
import { assertEveryHour } from './flights-job.ts';
import { naiveFlights } from './naive-flights.ts';

const document = JSON.parse(
  readFileSync(new URL('../../examples/flights/workflow.json', import.meta.url), 'utf8'),
) as never;

test('the main job as a document gives the figures of the program', { timeout: 600_000 }, async () => {
  const language = createLanguage();
  assert.deepEqual(language.validate(document), []);
  const graph = language.compile(document);
  const { segments, graph: records } = graph.records!;
  assert.equal(segments.length, 1);
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const { how, figures } = await runSegment(
    {
      log,
      state: createStateBackend({}),
      directory: undefined,
      clock: systemClock,
      telemetry: silentTelemetry(),
      settings: { commitIntervalMs: 500 },
    },
    {
      segment: segments[0]!,
      graph: records,
      name: 'flights',
      mode: 'batch',
      input: { flights: dataFile('flights-3m.parquet'), airports: dataFile('airports.csv') },
      values: {},
      cancel: new AbortController().signal,
    },
  );
  assert.equal(how, 'complete');
  await assertEveryHour(log, await naiveFlights());
  const { nodes } = figures;
  assert.equal(nodes['flights']!.in, nodes['flights-file']!.out);
  assert.equal(nodes['airport-hours']!.in, nodes['totals']!.out);
  await log.close();
});

import { type GraphNames, readReference, referenceText, type StepEvent } from '../../events/events.ts';
import type { OutputView } from '../workflows.ts';
import type { Inspector } from './inspector.ts';

/** What stands at a reference, by the step record that wrote it: later steps change nothing of it. */
export async function outputAt(
  given: string,
  inspector: Inspector,
  names: (definition: string) => Promise<GraphNames>,
): Promise<OutputView | undefined> {
  const place = readReference(given);
  const { execution, seq, at } = place;
  const reference = referenceText(place);
  const record = (await inspector.history(execution, seq)).find((each) => each.seq === seq);
  if (record === undefined) return undefined;
  const whole = { reference, execution, seq, at: record.at };
  if (at === null) {
    const end = record.events.find((event) => event.type === 'ended');
    if (end === undefined) return undefined;
    const { output: value } = end;
    return { ...whole, node: null, iteration: '', port: null, bytes: bytesOf(value), schema: null, value };
  }
  const { node, iteration, port } = at;
  const words = await names(record.definition);
  const isIt = (event: StepEvent) =>
    event.type === 'output' && event.port === port && event.iteration === iteration && words.id(event.node) === node;
  const found = record.events.find((event) => event.type === 'output' && isIt(event));
  if (found?.type !== 'output') return undefined;
  const { bytes, value } = found;
  return { ...whole, node, iteration, port, bytes, schema: words.schema(found.node, port), value };
}

function bytesOf(value: OutputView['value']): number {
  return Buffer.byteLength(JSON.stringify(value));
}

import { aborted } from '../../core/aborted.ts';
import { doubled } from '../../core/duration.ts';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Json, Millis, Position } from '../../core/ids.ts';
import { BatchView } from '../../log/batch.ts';
import type { Fetched } from '../../log/log.ts';
import { toPlain } from '../../schemas/schemas.ts';
import type { Exported, ExportOptions, ExportRow, ExportWriter } from '../export.ts';

const FETCH_WAIT_MS: Millis = 200;
const FIRST_PAUSE_MS: Millis = 100;
const LONGEST_PAUSE_MS: Millis = 30_000;
/** How often a write is tried before the export gives up; one that goes on without end does not give up. */
const MOST_TRIES = 8;

/**
 * Brings the records of a topic to a target. Throws what the target refuses for good (`permanent`, `user`); what may pass
 * is tried again with growing pauses.
 */
export async function runExport<K, V>(options: ExportOptions<K, V>): Promise<Exported> {
  const { log, topic, target, stop } = options;
  const { name: topicName, partitions } = topic;
  const writer = await target.open({ name: options.name ?? topicName, topic: topicName, partitions });
  const reader = log.reader({ isolation: 'committed' });
  try {
    const bounds = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => log.admin.bounds(topicName, partition)),
    );
    const positions = bounds.map(({ start }, partition) => Math.max(start, writer.positions[partition] ?? 0));
    const ends = bounds.map(({ end }) => (options.until === 'end' ? end : Number.POSITIVE_INFINITY));
    const isAtEnd = (partition: number) => positions[partition]! >= ends[partition]!;
    const places = positions.map((position, partition) => ({ topic: topicName, partition, position }));
    reader.assign(places.filter(({ partition }) => !isAtEnd(partition)));
    const rows = createReader(topic);
    let records = 0;
    const isDone = () => places.every(({ partition }) => isAtEnd(partition));
    while (!isDone() && stop?.aborted !== true) {
      for (const fetched of await reader.fetch(FETCH_WAIT_MS, stop)) {
        const { partition } = fetched;
        const batch = await known(options, () => rows(fetched, positions[partition]!, ends[partition]!));
        // what came since lies behind the end, in the same fetch
        const upTo = Math.min(fetched.next, ends[partition]!);
        fetched.release();
        if (batch === undefined) return { records, how: 'stopped' };
        if (!(await write(options, writer, batch, positions.with(partition, upTo)))) return { records, how: 'stopped' };
        positions[partition] = upTo;
        if (isAtEnd(partition)) reader.unassign([{ topic: topicName, partition }]);
        records += batch.length;
        options.onProgress?.(records);
      }
    }
    if (!isDone()) return { records, how: 'stopped' };
    await writer.finish();
    return { records, how: 'complete' };
  } finally {
    await reader.close();
    await writer.close();
  }
}

/** What is decoded when the schemas of its writers are known; undefined when it was stopped while it waited for one. */
async function known<K, V>(
  { topic: { keySerde, valueSerde }, stop }: ExportOptions<K, V>,
  decode: () => readonly ExportRow[],
): Promise<readonly ExportRow[] | undefined> {
  for (;;) {
    try {
      return decode();
    } catch (thrown) {
      if (!isFlowError(thrown, 'registry.unknown')) throw thrown;
    }
    const fetching = Promise.all([keySerde.registered?.fetch?.(), valueSerde.registered?.fetch?.()]);
    await (stop === undefined ? fetching : Promise.race([fetching, aborted(stop).catch(() => undefined)]));
    if (stop?.aborted === true) return undefined;
  }
}

/** Decodes what was fetched into rows of its own, from a position on, up to an end. */
function createReader<K, V>({ name, keySerde, valueSerde }: ExportOptions<K, V>['topic']) {
  const view = new BatchView();
  const [keyView, valueView] = [keySerde.view(), valueSerde.view()];
  return ({ bytes, starts, ends, partition }: Fetched, from: Position, until: Position): readonly ExportRow[] => {
    const rows: ExportRow[] = [];
    for (let b = 0; b < starts.length; b++) {
      view.open(bytes, starts[b]!, ends[b]!, { topic: name, partition });
      for (let i = 0; i < view.count; i++) {
        const position = view.positions[i]!;
        if (position < from || position >= until) continue;
        const key = view.keyStarts[i]! < 0 ? null : toPlain(keyView(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!));
        const value =
          view.valueStarts[i]! < 0 ? null : toPlain(valueView(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!));
        rows.push({ partition, position, timestamp: view.timestamps[i]!, key: key as Json, value: value as Json });
      }
    }
    return rows;
  };
}

/** False when it was stopped while it waited. */
async function write<K, V>(
  { clock, stop, onRetry, until, target }: ExportOptions<K, V>,
  writer: ExportWriter,
  rows: readonly ExportRow[],
  next: readonly Position[],
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      await writer.write(rows, next);
      return true;
    } catch (thrown) {
      const passes = !isFlowError(thrown) || thrown.kind === 'transient' || thrown.kind === 'system';
      if (!passes) throw thrown;
      if (until === 'end' && tries === MOST_TRIES) {
        const what = `${JSON.stringify(target.description)} took no rows in ${tries} tries; the last time: ${messageOf(thrown)}`;
        throw new FlowError('export.failed', `${what}; what it has is whole: start the export again when it answers`, {
          cause: thrown,
        });
      }
      const pauseMs = doubled(FIRST_PAUSE_MS, tries - 1, LONGEST_PAUSE_MS);
      onRetry?.(messageOf(thrown), pauseMs);
      if (!(await clock.sleep(pauseMs, stop))) return false;
    }
  }
}

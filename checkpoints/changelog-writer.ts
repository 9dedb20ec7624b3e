import type { Position } from '../core/ids.ts';
import type { PartitionMap } from '../core/partition-map.ts';
import type { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { isPaneDrop } from '../state/state.ts';
import type { EpochPart } from './committer.ts';
import type { Sealed } from './outputs.ts';
import { PROGRESS } from './progress.ts';

/** Which rows of a cut. Dropped panes are told from other rows only where they are written apart. */
export type ChangelogRows = 'all' | 'stores' | 'progress' | 'drops';

/** Packs the rows of a cut into batches for its changelogs, and keeps in mind which tables it has touched. */
export class ChangelogWriter {
  readonly #builder: BatchBuilder;
  readonly #step: Step;
  readonly #batchBytes: number;
  readonly #send: (sealed: Sealed) => void;

  constructor(step: Step, batchBytes: number, send: (sealed: Sealed) => void) {
    this.#builder = new BatchBuilder(step);
    this.#step = step;
    this.#batchBytes = batchBytes;
    this.#send = send;
  }

  write(part: EpochPart, rows: ChangelogRows, touched: Set<string>): void {
    const builder = this.#builder;
    let current = '';
    const seal = () => {
      if (builder.count === 0) return;
      const records = builder.count;
      this.#send({ topic: part.changelog(current), partition: part.partition, bytes: builder.finish(), records });
    };
    this.#step.begin();
    part.cut.forEach((table, timestamp, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      if (rows !== 'all' && rows !== kindOf(table, valueStart, valueEnd)) return;
      if (table !== current || builder.size >= this.#batchBytes) {
        seal();
        current = table;
        touched.add(table);
      }
      builder.append(timestamp, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
    });
    this.#step.settle();
    seal();
  }
}

function kindOf(table: string, valueStart: number, valueEnd: number): ChangelogRows {
  if (table === PROGRESS) return 'progress';
  return isPaneDrop(valueStart, valueEnd) ? 'drops' : 'stores';
}

/** Where the touched changelogs of a part end, of those ends that are known. */
export function changelogEnds(
  part: EpochPart,
  touched: ReadonlySet<string>,
  ends: PartitionMap<Position>,
): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>();
  for (const table of touched) {
    const end = ends.get(part.changelog(table), part.partition);
    if (end !== undefined) found.set(table, end);
  }
  return found;
}

import { FlowError } from '../core/errors.ts';
import type { Source, SourceBatch, Split } from './connectors.ts';

export interface GeneratorOptions<T> {
  readonly count: number;
  /** Makes record `index`. It must depend on the index alone, so that a restart makes the same records. */
  readonly make: (index: number) => T;
  /** Into how many splits the indexes are cut, in equal ranges. Default 1. */
  readonly splits?: number;
}

/** A bounded source of made-up records, for tests and benchmarks. Its position is the record's place in the split. */
export function generator<T>({ count, make, splits = 1 }: GeneratorOptions<T>): Source<T> {
  requireWhole('count', count, 0);
  requireWhole('splits', splits, 1);
  const first = (split: number) => Math.floor((count * split) / splits);
  const bounds = new Map<string, { readonly from: number; readonly to: number }>();
  for (let i = 0; i < splits; i++) bounds.set(String(i), { from: first(i), to: first(i + 1) });

  return {
    description: { connector: 'generator', count, splits },
    bounded: true,
    async splits() {
      return [...bounds].map(([id, { from, to }]): Split => ({ id, records: to - from }));
    },
    async open(split, from) {
      const range = bounds.get(split.id);
      if (range === undefined) throw new FlowError('config.invalid', `generator: there is no split ${split.id}`);
      let position = Math.min(from, range.to - range.from);
      return {
        async next(max): Promise<SourceBatch<T> | undefined> {
          const start = position;
          const size = Math.min(max, range.to - range.from - start);
          if (size <= 0) return undefined;
          position += size;
          return {
            count: size,
            at: (index) => make(range.from + start + index),
            positionAfter: (index) => start + index + 1,
          };
        },
        async close() {},
      };
    },
  };
}

function requireWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new FlowError('config.invalid', `generator: ${name} must be a whole number from ${least}, not ${value}`);
}

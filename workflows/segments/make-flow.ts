import type { AnyTopic, Flow, Options, Records, Rows, SegmentParts } from './flows.ts';

/** A stream that is there. */
export function recordsFlow(parts: SegmentParts, records: Records, made: boolean): Flow {
  return {
    records: () => records,
    rows: (store) => parts.own(records.toTable({ store, ...(made ? { value: parts.format(undefined) } : {}) })),
    isTable: false,
    made,
  };
}

/** A topic: read as a stream or as a table, by what asks for it first. */
export function topicFlow(parts: SegmentParts, topic: AnyTopic, options: Options): Flow {
  let records: Records | undefined;
  return {
    records: () => {
      records ??= parts.own(parts.topology.stream(topic, options));
      return records;
    },
    rows: (store) => parts.own(parts.topology.table(topic, { store })),
    isTable: false,
    made: false,
  };
}

export function tableFlow(parts: SegmentParts, rows: Rows, made: boolean): Flow {
  let records: Records | undefined;
  return {
    records: () => {
      records ??= parts.own(rows.toStream());
      return records;
    },
    rows: () => rows,
    isTable: true,
    made,
  };
}

/** What goes into windows: only an aggregate can do anything with it. */
export function windowsFlow(parts: SegmentParts, input: Flow, spec: object): Flow {
  const alone = () => parts.fail('puts records into windows, and op.aggregate has to stand behind it');
  return {
    records: () => {
      throw alone();
    },
    rows: () => {
      throw alone();
    },
    isTable: false,
    windows: { spec, input },
    made: input.made,
  };
}

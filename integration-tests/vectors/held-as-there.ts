import { OPERATORS, type OperatorFactory } from '../../operators/operators.ts';

/** In what buffers of suppression may do as those of Kafka Streams do. */
export interface HeldMode {
  /** What comes out replaces what its newest update replaced, be it held back itself, not what came out before. */
  readonly oldsOfUpdates?: boolean;
  /** What a record sets free comes out while the record is on its way, not behind it. */
  readonly atOnce?: boolean;
}

/** Runs something with such buffers. */
export async function withHeldAsThere<T>(mode: HeldMode, run: () => Promise<T>): Promise<T> {
  const factories: { suppressBuffer: OperatorFactory<'suppressBuffer'> } = OPERATORS;
  const own = factories.suppressBuffer;
  let factory = own;
  if (mode.atOnce === true) factory = atOnce(factory);
  if (mode.oldsOfUpdates === true) factory = withOldsOfUpdates(factory);
  factories.suppressBuffer = factory;
  try {
    return await run();
  } finally {
    factories.suppressBuffer = own;
  }
}

function withOldsOfUpdates(own: OperatorFactory<'suppressBuffer'>): OperatorFactory<'suppressBuffer'> {
  return (node, context, [next]) => {
    if (!context.wantsOld) return own(node, context, [next!]);
    const olds = new Map<string, unknown>();
    const { inputs, ...operator } = own(node, context, [
      (record) => {
        record.old = olds.get(JSON.stringify(record.key)) ?? null;
        next!(record);
      },
    ]);
    const [take] = inputs;
    return {
      ...operator,
      inputs: [
        (record) => {
          olds.set(JSON.stringify(record.key), record.old);
          take!(record);
        },
      ],
    };
  };
}

function atOnce(own: OperatorFactory<'suppressBuffer'>): OperatorFactory<'suppressBuffer'> {
  return (node, context, next) => {
    const scan: typeof context.scan = (each) => {
      while (each.advance());
    };
    return own(node, { ...context, scan }, next);
  };
}

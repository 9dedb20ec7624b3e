import type { PlanBuilder } from './plan-builder.ts';

interface Formats {
  readonly key: string | null;
  readonly value: string | null;
}

/** A repartition and the internal topic of its name; answers the id of its node. */
export function addRepartition(
  builder: PlanBuilder,
  input: string,
  name: string,
  partitions: number,
  { key, value }: Formats,
): string {
  const topic = builder.topic({
    name: `nf.${builder.name}.${name}.repartition`,
    ...{ partitions, key: key ?? '', value: value ?? '', internal: true, partitioner: 'key' },
  });
  const id = builder.ids.named('repartition', name);
  return builder.add({ kind: 'repartition', id, inputs: [input], key, value, topic, nullKeys: 'drop' });
}

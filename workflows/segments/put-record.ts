import { ByteWriter } from '../../core/bytes.ts';
import type { Json, Millis } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { type Log, partitionForKey } from '../../log/log.ts';
import { holdsRecords } from '../../runtime/runtime.ts';
import type { Serde } from '../../schemas/schemas.ts';

export interface OneRecord {
  readonly key: Json;
  readonly value: Json;
  readonly timestamp: Millis;
}

interface Records {
  readonly name: string;
  readonly partitions: number;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
}

/** A topic that holds this record and no other; nothing where it is there already. */
export async function putRecord(log: Log, topic: Records, record: OneRecord): Promise<void> {
  if (await holdsRecords(log, topic.name)) return;
  await putRecords(log, topic, [record]);
}

/** Appends records to a topic, which is made where it is not there. */
export async function putRecords(log: Log, topic: Records, records: readonly OneRecord[]): Promise<void> {
  const { name, partitions } = topic;
  if ((await log.admin.describe(name)) === undefined) await log.admin.create(name, { partitions });
  const step = new Step();
  const builders = Array.from({ length: partitions }, () => new BatchBuilder(step));
  const none = Buffer.alloc(0);
  step.begin();
  for (const record of records) {
    const key = encoded(topic.key, record.key);
    const value = encoded(topic.value, record.value);
    const partition = key === null ? 0 : partitionForKey(key, 0, key.length, partitions);
    const [keyStart, valueStart] = [key === null ? -1 : 0, value === null ? -1 : 0];
    builders[partition]!.append(
      record.timestamp,
      ...([key ?? none, keyStart, key?.length ?? 0] as const),
      ...([value ?? none, valueStart, value?.length ?? 0] as const),
    );
  }
  step.settle();
  const producer = await log.producer({});
  try {
    for (const [partition, builder] of builders.entries()) {
      if (builder.count > 0) await producer.append(name, partition, builder.finish());
    }
  } finally {
    await producer.close();
  }
}

function encoded(serde: Serde<unknown>, value: Json): Buffer | null {
  if (value === null) return null;
  const out = new ByteWriter();
  serde.encode(value, out);
  return Buffer.from(out.bytes.subarray(0, out.at));
}

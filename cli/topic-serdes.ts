import { FlowError } from '../core/errors.ts';
import { type BindTopicOptions, bindSerdes } from '../runtime/runtime.ts';
import { json, type Serde, string } from '../schemas/schemas.ts';
import type { Call, Command } from './command.ts';
import { loadTopology, NAME_OPTION } from './program.ts';
import { serdeByName } from './serdes.ts';
import type { Engine } from './wire.ts';
import type { World } from './world.ts';

/** The options of all commands that read or write records of a topic. */
export const SERDE_OPTIONS: Command['options'] = {
  topology: { value: 'file', about: 'A topology module that knows the topic: its serdes are used.' },
  ...NAME_OPTION,
  'key-serde': { value: 'serde', about: 'string, json, int32, int64, double or bytes; default string.' },
  'value-serde': { value: 'serde', about: 'The same for values; default json.' },
};

export interface TopicSerdes {
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
}

/** As they were declared: where a registry keeps their schemas they are to be bound before they are used. */
export interface DeclaredSerdes extends TopicSerdes {
  bind(engine: Pick<Engine, 'registry' | 'clock'>, options?: BindTopicOptions): Promise<TopicSerdes>;
}

/** How records of a topic are read and written: as the options say, else as the topology does. */
export async function topicSerdes(call: Call, topic: string, world: World): Promise<DeclaredSerdes> {
  const file = call.option('topology');
  const keyName = call.option('key-serde');
  const valueName = call.option('value-serde');
  const program = file === undefined ? undefined : await loadTopology(file, call, world);
  const known = program?.plan.topics.find((one) => one.name === topic);
  if (program !== undefined && known === undefined) {
    const names = program.plan.topics.map((one) => one.name).join(', ');
    throw new FlowError('topic.missing', `the topology ${program.plan.name} has no topic ${topic}; it has ${names}`);
  }
  const chosen = (name: string | undefined, ofPlan: string | undefined, fallback: () => Serde<unknown>) => {
    if (name !== undefined) return serdeByName(name);
    return ofPlan === undefined ? fallback() : program!.code.serde(ofPlan);
  };
  const serdes = { key: chosen(keyName, known?.key, string), value: chosen(valueName, known?.value, json) };
  return { ...serdes, bind: (engine, options) => bindSerdes(topic, serdes, engine, options) };
}

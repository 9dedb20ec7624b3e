import { FlowError } from '../../core/errors.ts';
import type { AvroType } from '../avro/model.ts';
import { avroParts } from '../avro.ts';
import type { Serde } from '../schemas.ts';
import { bound } from './bound.ts';
import type { RegisteredFormat, RegisteredOptions, SchemaText, SubjectStrategy } from './registry.ts';

/**
 * Values of an Avro schema that a registry keeps: see {@link SchemaRegistry}. The serde given is one of `avro(...)`
 * without an id.
 *
 *     const orders = topic('orders', { key: string(), value: registered(avro({...})), partitions: 12 });
 */
export function registered<T>(serde: Serde<T>, options: RegisteredOptions = {}): Serde<T> {
  const parts = avroParts(serde);
  if (parts === undefined || parts.id !== undefined) {
    const cure = 'give it avro({...}) without an id, since the registry knows the id';
    throw new FlowError(
      'schema.invalid',
      `registered: ${serde.name} is no Avro schema that can be registered; ${cure}`,
    );
  }
  const { type, source } = parts;
  const strategy = options.subject ?? 'topic-name';
  const register = options.register ?? true;
  const subject = subjectOf(strategy, type, serde.name);
  const schema: SchemaText = { type: 'AVRO', text: JSON.stringify(source), references: [] };
  const words = [serde.name, ...(strategy === 'topic-name' ? [] : [strategy]), ...(register ? [] : ['look-up'])];
  const name = `registered(${words.join(',')})`;
  const format: RegisteredFormat<T> = {
    schema,
    avro: type,
    bare: serde.name,
    register,
    subject,
    bind: (id, known) => bound<T>({ name, schema: serde.schema, type, format, id, known }),
  };
  const unbound = (): never => {
    throw new FlowError(
      'registry.unbound',
      `${name} was used before it was bound to a registry; run it within an application, or bind its topic by bindTopic`,
    );
  };
  return {
    name,
    schema: serde.schema,
    decode: unbound,
    read: unbound,
    encode: unbound,
    view: unbound,
    cells: serde.cells === undefined ? undefined : { ...serde.cells, encode: unbound, decode: unbound },
    registered: format,
  };
}

function subjectOf(strategy: SubjectStrategy, type: AvroType, serde: string): RegisteredFormat<unknown>['subject'] {
  if (strategy === 'topic-name') return (topic, side) => `${topic}-${side}`;
  if (type.kind !== 'record') {
    throw new FlowError(
      'schema.invalid',
      `registered(${serde}): the subject ${strategy} needs a record, which has a name; choose topic-name`,
    );
  }
  return strategy === 'record-name' ? () => type.name : (topic) => `${topic}-${type.name}`;
}

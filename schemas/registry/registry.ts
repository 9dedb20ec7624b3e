import type { Bytes } from '../../core/bytes.ts';
import type { Millis } from '../../core/ids.ts';
import type { AvroType } from '../avro/model.ts';
import type { Serde } from '../schemas.ts';

/**
 * Schemas that are kept in a registry which speaks the REST interface of Confluent's: that one, Apicurio, Karapace,
 * Redpanda, or the embedded one of this engine.
 *
 * A *subject* is a named series of schema versions with a rule of compatibility; a schema has an id that is the same in
 * all subjects and never changes. A value carries five bytes before its body, a zero and the id of the schema it was
 * written with, so that whoever knows the registry can read it.
 *
 * `registered(avro({...}))` makes a serde of which the registry knows the schema. The record path is synchronous, so
 * nothing is asked there:
 *
 * - Before an application starts its serdes are *bound*: each subject is compared with the schema (refused where they
 *   do not go together), the schema is registered or looked up, and the serde gets its id. What an unbound serde is
 *   asked for fails.
 * - All versions of the subjects are read then, so that their ids are known. An id that is met later and is not known
 *   is a miss, as a cold row is: what the record did is undone, the schema is fetched beside the loop, the record runs
 *   again. The task waits meanwhile, however long the registry is away; others go on.
 * - A value with the serde's own id is read by the generated views; one of another schema is resolved by Avro's rules
 *   (`avro/resolution.ts`) into a plain value. An id that the registry does not have, or a schema that cannot be read
 *   as this one, is `schema.mismatch`, asked for again after a while.
 * - A value that is passed on as it came keeps the id it came with. A key does not: equal keys have to be equal bytes, in
 *   stores and in topics, so one of another schema is encoded anew when it is read.
 */
export interface SchemaRegistry {
  /** For messages: its address without secrets. */
  readonly name: string;
  readonly figures: RegistryFigures;
  /** Registers a schema under a subject, where it is not yet; answers its id. Fails with `registry.incompatible`. */
  register(subject: string, schema: SchemaText): Promise<SchemaId>;
  /** The version of a subject that is this schema. */
  lookUp(subject: string, schema: SchemaText): Promise<SchemaVersion | undefined>;
  schema(id: SchemaId): Promise<SchemaText | undefined>;
  /** All versions of a subject, oldest first; `undefined` where there is no such subject. */
  versions(subject: string): Promise<readonly SchemaVersion[] | undefined>;
  /** The rule of a subject, or the general one. */
  level(subject: string): Promise<CompatibilityLevel>;
  /** A schema with what it refers to, read and checked. */
  parsed(schema: SchemaText): Promise<AvroType>;
  close(): void;
}

/** What a client has done since it was made. */
export interface RegistryFigures {
  /** Repetitions count. */
  readonly requests: number;
  /** Of these: not answered, or answered by an error other than that something is not there. */
  readonly failures: number;
  /** Questions answered from memory, or by a request that was under way. */
  readonly cacheHits: number;
  /** Since the last request was not answered; `undefined` after one that was. */
  readonly outage: RegistryOutage | undefined;
}

export interface RegistryOutage {
  readonly since: Millis;
  readonly reason: string;
}

export type SchemaId = number;

/** A schema as the registry keeps it. */
export interface SchemaText {
  readonly type: 'AVRO' | (string & {});
  readonly text: string;
  /** Versions of other subjects whose names it uses. */
  readonly references: readonly SchemaReference[];
}

export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface SchemaVersion {
  readonly subject: string;
  readonly version: number;
  readonly id: SchemaId;
  readonly schema: SchemaText;
}

/**
 * What a new version of a subject must keep to. `BACKWARD`: it reads what the last one wrote; `FORWARD`: the last one
 * reads what it writes; `FULL`: both. `_TRANSITIVE`: not only the last one but all. `NONE`: nothing.
 */
export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;

export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number];

/** Under which subject the schema of a topic's keys or values stands. */
export type SubjectStrategy =
  /** `<topic>-key` and `<topic>-value`: a topic has one series of schemas for each. */
  | 'topic-name'
  /** The full name of the record: one series wherever it is used, and several records in a topic. */
  | 'record-name'
  /** `<topic>-<full name of the record>`. */
  | 'topic-record-name';

export interface RegisteredOptions {
  /** Default `topic-name`. */
  readonly subject?: SubjectStrategy;
  /**
   * Whether an application registers the schema for the topics that it writes. False: it only looks it up, and does not
   * start where it is missing. Default true.
   */
  readonly register?: boolean;
}

/** What a serde tells of its schema in the registry. */
export interface RegisteredFormat<T> {
  readonly schema: SchemaText;
  readonly avro: AvroType;
  readonly register: boolean;
  /** The name of the serde whose values are the bodies of these. */
  readonly bare: string;
  subject(topic: string, side: 'key' | 'value'): string;
  /** The serde that writes this id, and reads what it and `known` know. */
  bind(id: SchemaId, known: WriterSchemas): Serde<T>;
  /** Of a bound serde that has one: the id that it writes. */
  readonly id?: SchemaId;
  /** Of a bound serde: the value was written with its own id, and would be written so again. */
  isOwn?(bytes: Bytes, start: number, end: number): boolean;
  /** Of a bound serde: fetches the schemas that it met and did not know. */
  fetch?(): Promise<void>;
}

/** The schemas of writers, by id, as the record path sees them: at once or not at all. */
export interface WriterSchemas {
  /** `undefined`: not known; a text: why there is none. */
  of(id: SchemaId): AvroType | string | undefined;
  /** Asks for a schema that is not known. Never returns: it throws what ends the record's attempt. */
  want(id: SchemaId): never;
  /** Resolves when everything asked for is known, or known not to be there. */
  fetch(): Promise<void>;
}

/** How to reach a registry. */
export interface RegistryOptions {
  /** Its addresses, several with commas between: the next one is asked where one does not answer. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Texts in PEM: the authority that signed its certificate; a certificate of our own, and the key of that. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** How long a request may take, with all its repetitions. Default 10 s. */
  readonly patienceMs?: Millis | undefined;
  /** What was not there is asked for again after this long. Default 30 s. */
  readonly absentMs?: Millis | undefined;
}

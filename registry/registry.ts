import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createRegistryClient, type SchemaRegistry } from '../schemas/schemas.ts';
import { Journal } from './journal.ts';
import { answerRequest } from './rest.ts';
import { Subjects } from './subjects.ts';

/**
 * A schema registry without a server of its own: the REST interface of Confluent's, for Avro, kept on the log.
 *
 * - It lives in a compacted topic of one partition, `_schemas`, in records like those of Confluent's registry: one for
 *   each version of a subject, for each rule, and for what was deleted (`journal.ts`). Nothing else is kept; what it
 *   answers it answers from memory (`subjects.ts`), after it has read the topic to its end.
 * - A schema has one id in all subjects. Ids rise, and are never given anew, also not after a permanent deletion.
 * - A schema is compared by its canonical form: blanks, the order of attributes and how a namespace is written make no
 *   difference, documentation does.
 * - Several processes may serve one topic: whoever writes fences the one that wrote before, which then reads what is
 *   new, judges the request again, and writes in its turn. Where the log has no fencing, one process may write.
 * - A deletion is soft at first: the version is listed no more, and its id is still answered. A permanent one takes it
 *   out of the topic.
 *
 * `serve.ts` answers HTTP, on the loopback unless told otherwise; {@link SchemaRegistryHost.client} asks without it.
 */
export interface SchemaRegistryHost {
  answer(request: HttpRequest): Promise<HttpAnswer>;
  /** A client that asks this registry within the process. */
  client(): SchemaRegistry;
  close(): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** `undefined` where there is none, or it is no JSON. */
  readonly body: unknown;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface RegistryHostParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Default `_schemas`. */
  readonly topic?: string;
  /** Whether writers fence each other, which takes transactions. Default: where the log has such. */
  readonly fenced?: boolean;
}

export const SCHEMAS_TOPIC = '_schemas';

/** Opens the registry of a log. Makes its topic at the first write. */
export function openRegistry(parts: RegistryHostParts): SchemaRegistryHost {
  const { log, clock, random, topic = SCHEMAS_TOPIC, fenced = log.capabilities.transactions } = parts;
  const subjects = new Subjects();
  const journal = new Journal({ log, topic, clock, random, fenced, onEntry: (entry) => subjects.apply(entry) });
  const answer = (request: HttpRequest) => answerRequest({ subjects, journal }, request);
  return {
    answer,
    client: () =>
      createRegistryClient({
        name: 'of this log',
        clock,
        random,
        send: (request) => answer({ body: undefined, ...request }),
      }),
    close: () => journal.close(),
  };
}

export { type RegistryServer, serveRegistry } from './serve.ts';

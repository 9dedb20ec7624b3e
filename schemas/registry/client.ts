import type { Clock } from '../../core/clock.ts';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { AnswerCache } from './cache.ts';
import { parsedSchema } from './parsed-schema.ts';
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  type RegistryFigures,
  type RegistryOptions,
  type RegistryOutage,
  type SchemaId,
  type SchemaRegistry,
  type SchemaText,
  type SchemaVersion,
} from './registry.ts';
import { type RestAnswer, type RestRequest, type Transport, TransportFailure } from './transport.ts';

export interface RegistryClientParts extends Pick<RegistryOptions, 'patienceMs' | 'absentMs'> {
  readonly name: string;
  readonly send: Transport;
  readonly clock: Clock;
  readonly random: Random;
  close?(): void;
}

const PATIENCE_MS = 10_000;
const ABSENT_MS = 30_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2000;
/** Answers after which asking again may help. */
const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);

/** A client of the REST interface: asks again where nobody answers, remembers what cannot change. */
export function createRegistryClient(parts: RegistryClientParts): SchemaRegistry {
  return new RegistryClient(parts);
}

class RegistryClient implements SchemaRegistry {
  readonly name: string;
  readonly #parts: RegistryClientParts;
  readonly #schemas: AnswerCache<SchemaText>;
  readonly #registered: AnswerCache<SchemaId>;
  readonly #lookedUp: AnswerCache<SchemaVersion>;
  readonly #versions: AnswerCache<SchemaVersion>;
  readonly #stop = new AbortController();
  #requests = 0;
  #failures = 0;
  #outage: RegistryOutage | undefined;

  constructor(parts: RegistryClientParts) {
    this.name = parts.name;
    this.#parts = parts;
    const { clock, absentMs = ABSENT_MS } = parts;
    this.#schemas = new AnswerCache(clock, absentMs);
    this.#registered = new AnswerCache(clock, absentMs);
    this.#lookedUp = new AnswerCache(clock, absentMs);
    this.#versions = new AnswerCache(clock, absentMs);
  }

  get figures(): RegistryFigures {
    const caches = [this.#schemas, this.#registered, this.#lookedUp, this.#versions];
    const cacheHits = caches.reduce((sum, { hits }) => sum + hits, 0);
    return { requests: this.#requests, failures: this.#failures, cacheHits, outage: this.#outage };
  }

  async register(subject: string, schema: SchemaText): Promise<SchemaId> {
    const id = await this.#registered.get(keyOf(subject, schema), async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const answer = await this.#ask({ method: 'POST', path, body: bodyOf(schema) });
      if (answer.status === 409) {
        const message = `the registry ${this.name} refuses the schema for subject ${subject}: ${reasonOf(answer)}`;
        throw new FlowError('registry.incompatible', `${message}; change the schema, or the rule of the subject`);
      }
      if (answer.status !== 200) throw this.#refused(answer, `register a schema under subject ${subject}`);
      const { id: made } = answer.body as { id: number };
      this.#schemas.put(String(made), schema);
      this.#lookedUp.forget(keyOf(subject, schema));
      return made;
    });
    return id!;
  }

  lookUp(subject: string, schema: SchemaText): Promise<SchemaVersion | undefined> {
    return this.#lookedUp.get(keyOf(subject, schema), async () => {
      const path = `/subjects/${encodeURIComponent(subject)}`;
      const answer = await this.#ask({ method: 'POST', path, body: bodyOf(schema) });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw this.#refused(answer, `look up a schema of subject ${subject}`);
      const { version, id } = answer.body as { version: number; id: number };
      return { subject, version, id, schema };
    });
  }

  schema(id: SchemaId): Promise<SchemaText | undefined> {
    return this.#schemas.get(String(id), async () => {
      const answer = await this.#ask({ method: 'GET', path: `/schemas/ids/${id}` });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw this.#refused(answer, `read schema id ${id}`);
      return textOf(answer.body);
    });
  }

  async versions(subject: string): Promise<readonly SchemaVersion[] | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const answer = await this.#ask({ method: 'GET', path });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#refused(answer, `list the versions of subject ${subject}`);
    const versions: SchemaVersion[] = [];
    for (const version of answer.body as readonly number[]) {
      const found = await this.#version(subject, version);
      // it may have been deleted meanwhile
      if (found !== undefined) versions.push(found);
    }
    return versions;
  }

  async level(subject: string): Promise<CompatibilityLevel> {
    const own = await this.#level(`/config/${encodeURIComponent(subject)}`);
    return own ?? (await this.#level('/config')) ?? 'BACKWARD';
  }

  parsed(schema: SchemaText): ReturnType<SchemaRegistry['parsed']> {
    return parsedSchema(schema, async ({ subject, version }) => {
      const found = await this.#version(subject, version);
      return found?.schema;
    });
  }

  close(): void {
    this.#stop.abort();
    this.#parts.close?.();
  }

  async #level(path: string): Promise<CompatibilityLevel | undefined> {
    const answer = await this.#ask({ method: 'GET', path });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#refused(answer, `read ${path}`);
    // registries differ in what they call it
    const { compatibilityLevel, compatibility } = answer.body as { [name: string]: unknown };
    const level = compatibilityLevel ?? compatibility;
    return COMPATIBILITY_LEVELS.find((one) => one === level);
  }

  /** A version of a subject never changes; after a deletion nobody gets it anew. */
  #version(subject: string, version: number): Promise<SchemaVersion | undefined> {
    return this.#versions.get(`${subject}/${version}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      const answer = await this.#ask({ method: 'GET', path });
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw this.#refused(answer, `read version ${version} of subject ${subject}`);
      const { id } = answer.body as { id: number };
      const schema = textOf(answer.body);
      this.#schemas.put(String(id), schema);
      return { subject, version, id, schema };
    });
  }

  /** Asks until somebody answers, or patience is over. */
  async #ask(request: RestRequest): Promise<RestAnswer> {
    const { clock, random, patienceMs = PATIENCE_MS, send } = this.#parts;
    const until = clock.monotonic() + patienceMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(MAX_PAUSE_MS, pause * 2)) {
      let reason: string;
      this.#requests++;
      try {
        const answer = await send(request, this.#stop.signal);
        if (answer.status >= 400 && answer.status !== 404) this.#failures++;
        if (!PASSING_STATUS.has(answer.status)) this.#outage = undefined;
        if (answer.status === 200 && answer.body === undefined) throw this.#refused(answer, 'read its answer');
        if (!PASSING_STATUS.has(answer.status)) return answer;
        reason = `it answers ${answer.status} ${reasonOf(answer)}`.trim();
      } catch (thrown) {
        if (!(thrown instanceof TransportFailure)) throw thrown;
        this.#failures++;
        if (thrown.fault === 'security') {
          const cure = 'check http and https in registry.url, and set registry.ca to the authority of its certificate';
          throw new FlowError('registry.security', `no TLS with the registry ${this.name}: ${thrown.message}; ${cure}`);
        }
        reason = messageOf(thrown);
      }
      this.#outage = { since: this.#outage?.since ?? clock.now(), reason };
      const wait = pause * (0.5 + random.next() / 2);
      const isOver = clock.monotonic() + wait > until;
      if (isOver || !(await clock.sleep(wait, this.#stop.signal))) {
        const cure = 'check that it runs and that registry.url names it';
        throw new FlowError(
          'registry.unreachable',
          `the schema registry ${this.name} has not answered for ${patienceMs} ms: ${reason}; ${cure}`,
        );
      }
    }
  }

  #refused(answer: RestAnswer, what: string): FlowError {
    const { status } = answer;
    if (status === 401 || status === 403) {
      const cure = 'check registry.username and registry.password, and the rights of that user';
      return new FlowError('registry.credentials', `the registry ${this.name} does not let us ${what}; ${cure}`);
    }
    const said = reasonOf(answer);
    if (codeOf(answer) === 42201) {
      return new FlowError('schema.invalid', `the registry ${this.name} cannot ${what}: ${said}; correct the schema`);
    }
    if (codeOf(answer) === undefined) {
      const cure = "check registry.url: Confluent's own has no path, Apicurio's ends in /apis/ccompat/v7";
      return new FlowError(
        'registry.refused',
        `${this.name} does not answer as a schema registry (${status}); ${cure}`,
      );
    }
    return new FlowError('registry.refused', `the registry ${this.name} cannot ${what}: ${said} (${codeOf(answer)})`);
  }
}

function keyOf(subject: string, schema: SchemaText): string {
  return JSON.stringify([subject, schema.type, schema.text, schema.references]);
}

function bodyOf({ type, text, references }: SchemaText): object {
  return {
    schema: text,
    ...(type === 'AVRO' ? {} : { schemaType: type }),
    ...(references.length === 0 ? {} : { references }),
  };
}

function textOf(body: unknown): SchemaText {
  const { schema, schemaType = 'AVRO', references } = body as { [name: string]: unknown };
  return {
    type: schemaType as string,
    text: schema as string,
    references: Array.isArray(references) ? (references as SchemaText['references']) : [],
  };
}

function reasonOf({ body }: RestAnswer): string {
  const message = (body as { message?: unknown } | undefined | null)?.message;
  return typeof message === 'string' ? message.slice(0, 2000) : '';
}

function codeOf({ body }: RestAnswer): number | undefined {
  const code = (body as { error_code?: unknown } | undefined | null)?.error_code;
  return typeof code === 'number' ? code : undefined;
}

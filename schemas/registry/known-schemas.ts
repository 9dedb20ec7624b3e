import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { AvroType } from '../avro/model.ts';
import type { RegistryOutage, SchemaId, SchemaRegistry, WriterSchemas } from './registry.ts';

export interface KnownSchemasParts {
  readonly registry: SchemaRegistry;
  readonly clock: Clock;
  /** Told once when the registry is away, and once when it is back. */
  onAway?(reason: string): void;
  onBack?(): void;
  readonly absentMs?: Millis;
}

const ABSENT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;

/** The schemas of writers that an application has met. What it does not know it fetches beside the record path. */
export class KnownSchemas implements WriterSchemas {
  readonly #parts: KnownSchemasParts;
  readonly #types = new Map<SchemaId, AvroType>();
  readonly #absent = new Map<SchemaId, { readonly why: string; readonly until: number }>();
  readonly #wanted = new Set<SchemaId>();
  #fetching: Promise<void> | undefined;
  #miss: (() => never) | undefined;
  readonly #stop = new AbortController();
  /** Rises whenever something is asked for that is not known: whoever compares it knows that it happened in between. */
  asked = 0;

  constructor(parts: KnownSchemasParts) {
    this.#parts = parts;
  }

  get registry(): SchemaRegistry {
    return this.#parts.registry;
  }

  of(id: SchemaId): AvroType | string | undefined {
    const type = this.#types.get(id);
    if (type !== undefined) return type;
    const absent = this.#absent.get(id);
    if (absent === undefined) return undefined;
    if (this.#parts.clock.monotonic() < absent.until) return absent.why;
    this.#absent.delete(id);
    return undefined;
  }

  want(id: SchemaId): never {
    this.#wanted.add(id);
    this.asked++;
    this.#miss?.();
    throw new FlowError(
      'registry.unknown',
      `schema id ${id} was not fetched from the registry ${this.#parts.registry.name} yet; fetch it, then read again`,
    );
  }

  /** Whoever runs records can wait: `want` then ends the attempt by this, not by an error. */
  onMiss(miss: () => never): void {
    this.#miss = miss;
  }

  learn(id: SchemaId, type: AvroType): void {
    this.#types.set(id, type);
  }

  /** Something was asked for that is not here yet. */
  get wanting(): boolean {
    return this.#wanted.size > 0;
  }

  /** Records wait because the registry does not answer. */
  get away(): RegistryOutage | undefined {
    return this.wanting ? this.#parts.registry.figures.outage : undefined;
  }

  /** Resolves when everything wanted is known, or known not to be there, however long the registry is away. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#fetchAll().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** Nobody waits any more. */
  close(): void {
    this.#stop.abort();
  }

  async #fetchAll(): Promise<void> {
    const { clock, onAway, onBack } = this.#parts;
    let pause = FIRST_PAUSE_MS;
    let away = false;
    for (const id of this.#wanted) {
      while (
        !(await this.#fetchOne(id, (reason) => {
          if (!away) onAway?.(reason);
          away = true;
        }))
      ) {
        if (!(await clock.sleep(pause, this.#stop.signal))) return;
        pause = Math.min(MAX_PAUSE_MS, pause * 2);
      }
      if (away) onBack?.();
      away = false;
      pause = FIRST_PAUSE_MS;
      this.#wanted.delete(id);
    }
  }

  /** False where it has to be asked again. */
  async #fetchOne(id: SchemaId, onAway: (reason: string) => void): Promise<boolean> {
    const { registry } = this.#parts;
    try {
      const schema = await registry.schema(id);
      if (schema === undefined) this.#put(id, `schema id ${id}, which the registry ${registry.name} does not have`);
      else this.learn(id, await registry.parsed(schema));
      return true;
    } catch (thrown) {
      if (isFlowError(thrown, 'registry.unreachable')) {
        onAway(messageOf(thrown));
        return false;
      }
      this.#put(id, `schema id ${id}, which cannot be used (${messageOf(thrown)})`);
      return true;
    }
  }

  #put(id: SchemaId, why: string): void {
    const { clock, absentMs = ABSENT_MS } = this.#parts;
    this.#absent.set(id, { why, until: clock.monotonic() + absentMs });
  }
}

import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Json, Position } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { DEFINITIONS_TOPIC } from '../../events/events.ts';
import { BatchBuilder, BatchView } from '../../log/batch.ts';
import { FOLLOW_WAIT_MS, type Log, type LogReader } from '../../log/log.ts';
import type { WorkflowDocument } from '../document.ts';
import type { Definition } from '../workflows.ts';
import { compareVersions } from './definition-rows.ts';
import type { StoredDefinition } from './messages.ts';

export interface CatalogueParts {
  readonly log: Log;
  readonly clock: Clock;
}

/** Publishers share one id, so that of two at a time one is fenced, and judges anew behind the other. */
const PUBLISHER = 'nf.workflows.publisher';
const MOST_TRIES = 10;

/** The definitions that were published, read from their topic and followed. */
export class Catalogue {
  readonly #parts: CatalogueParts;
  readonly #reader: LogReader;
  readonly #stop = new AbortController();
  readonly #view = new BatchView();
  readonly #definitions = new Map<string, Map<string, Definition>>();
  readonly #byHash = new Map<string, Definition>();
  readonly #newest = new Map<string, Definition>();
  #next: Position = 0;
  #following: Promise<void> | undefined;
  readonly #waiting: { readonly position: Position; resolve(): void; reject(reason: unknown): void }[] = [];
  #failure: unknown;

  private constructor(parts: CatalogueParts) {
    this.#parts = parts;
    this.#reader = parts.log.reader({ isolation: 'committed' });
  }

  static async open(parts: CatalogueParts): Promise<Catalogue> {
    const catalogue = new Catalogue(parts);
    const { start } = await parts.log.admin.bounds(DEFINITIONS_TOPIC, 0);
    catalogue.#next = start;
    catalogue.#reader.assign([{ topic: DEFINITIONS_TOPIC, partition: 0, position: start }]);
    catalogue.#following = catalogue.#follow();
    await catalogue.refresh();
    return catalogue;
  }

  get all(): readonly Definition[] {
    return [...this.#definitions.values()].flatMap((versions) => [...versions.values()]);
  }

  /** Without a version: the highest. */
  find(id: string, version?: string): Definition | undefined {
    return version === undefined ? this.#newest.get(id) : this.#definitions.get(id)?.get(version);
  }

  versions(id: string): readonly Definition[] {
    return [...(this.#definitions.get(id)?.values() ?? [])];
  }

  /** By the hash of the document. */
  byHash(hash: string): Definition | undefined {
    return this.#byHash.get(hash);
  }

  /** Resolves when what stands in the topic now is known here; what is about to be decided there is waited for. */
  async refresh(): Promise<void> {
    const { end } = await this.#parts.log.admin.bounds(DEFINITIONS_TOPIC, 0);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#next >= end) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ position: end, resolve, reject });
    });
  }

  /** Answers what stands under id and version behind it: that one, or an equal one that was there. */
  async publish(definition: StoredDefinition): Promise<Definition> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#publish(definition);
      } catch (thrown) {
        // another process publishes: it has taken over the id of the transaction, or ended it
        const isOvertaken = isFlowError(thrown, 'log.fenced') || isFlowError(thrown, 'log.aborted');
        if (!isOvertaken || tries === MOST_TRIES) throw thrown;
      }
    }
  }

  async #publish(definition: StoredDefinition): Promise<Definition> {
    const producer = await this.#parts.log.producer({ transactionalId: PUBLISHER });
    try {
      await this.refresh();
      const { id, version, hash } = definition;
      const there = this.find(id, version);
      if (there !== undefined) {
        if (there.hash === hash) return there;
        const cure = 'a published version never changes: give the document a new one';
        throw new FlowError('workflow.version-taken', `workflow ${id} ${version} is another document; ${cure}`);
      }
      const step = new Step();
      const builder = new BatchBuilder(step);
      const key = Buffer.from(`${id}@${version}`);
      const value = Buffer.from(JSON.stringify(definition));
      step.begin();
      builder.append(definition.publishedAt, key, 0, key.length, value, 0, value.length);
      step.settle();
      producer.begin();
      await producer.append(DEFINITIONS_TOPIC, 0, builder.finish());
      await producer.commit();
      await this.refresh();
      return this.find(id, version)!;
    } finally {
      await producer.close();
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#reader.close();
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        for (const fetched of await this.#reader.fetch(FOLLOW_WAIT_MS, this.#stop.signal)) {
          for (let b = 0; b < fetched.starts.length; b++) {
            this.#view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
            this.#take();
          }
          this.#next = fetched.next;
          fetched.release();
        }
      } catch (thrown) {
        if (!this.#stop.signal.aborted) this.#failure = thrown;
      }
      this.#tell();
      if (this.#failure !== undefined) return;
    }
  }

  #take(): void {
    const { bytes, count, positions, valueStarts, valueEnds } = this.#view;
    for (let i = 0; i < count; i++) {
      if (positions[i]! < this.#next || valueStarts[i]! < 0) continue;
      const stored = JSON.parse(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!)) as StoredDefinition;
      const { id, version } = stored;
      const versions = this.#definitions.get(id) ?? new Map<string, Definition>();
      this.#definitions.set(id, versions);
      if (versions.has(version)) continue;
      const definition: Definition = { ...stored, document: stored.document as unknown as WorkflowDocument };
      versions.set(version, definition);
      this.#byHash.set(definition.hash, definition);
      const newest = this.#newest.get(id);
      if (newest === undefined || compareVersions(newest.version, version) < 0) this.#newest.set(id, definition);
    }
  }

  #tell(): void {
    const stopped =
      this.#failure ?? (this.#stop.signal.aborted ? new FlowError('stopped', 'it was closed') : undefined);
    for (const waiting of this.#waiting.splice(0)) {
      if (stopped !== undefined) waiting.reject(stopped);
      else if (waiting.position <= this.#next) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}

export function storedOf(definition: Definition): StoredDefinition {
  return { ...definition, document: definition.document as unknown as Json };
}

import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import type { Language } from '../language.ts';
import type { PatchOp } from '../lifecycle/lifecycle.ts';
import type { StoredDefinition } from './messages.ts';

/** Graphs that are kept in memory, of all partitions of a process. */
const MOST_GRAPHS = 4096;

/** Graphs by definition and revision, made of documents when they are first asked for. */
export class GraphCache {
  readonly #language: Language;
  readonly #graphs = new Map<string, Graph>();

  constructor(language: Language) {
    this.#language = language;
  }

  base(hash: string, document: () => Json): Graph {
    return this.#find(hash, () => this.#language.compile(document()));
  }

  /** That of an execution; its patches are asked for where it has some, and their graph is not at hand. */
  of(base: Graph, execution: string, revision: number, patches: () => readonly (readonly PatchOp[])[]): Graph {
    if (revision === base.revision) return base;
    return this.#find(`${execution} ${revision}`, () => {
      let graph = base;
      for (const ops of patches().slice(0, revision - base.revision)) {
        const next = this.#language.patch(graph, ops);
        if (!('nodes' in next)) throw new Error(`a patch of ${execution} does not apply any more: ${next[0]?.message}`);
        graph = next;
      }
      return graph;
    });
  }

  #find(name: string, make: () => Graph): Graph {
    const found = this.#graphs.get(name);
    if (found !== undefined) return found;
    const made = make();
    if (this.#graphs.size >= MOST_GRAPHS) this.#graphs.delete(this.#graphs.keys().next().value!);
    this.#graphs.set(name, made);
    return made;
  }
}

/**
 * The definitions that a partition knows: their hashes by workflow and version, which every step reads, and apart from
 * those their documents, which are read once a process.
 */
export class DefinitionRows {
  readonly #store: KeyValueStore<string, Json>;
  /** By workflow and version, as they have been read: they never change. */
  readonly #hashes = new Map<string, Map<string, string>>();

  constructor(store: KeyValueStore<string, Json>) {
    this.#store = store;
  }

  /** The first one under an id and version stays. */
  put({ id, version, hash, document }: StoredDefinition): void {
    if (this.#store.putIfAbsent(`v${id}\0${version}`, hash) !== undefined) return;
    this.#store.put(`h${hash}`, document);
    const newest = this.newest(id);
    if (newest === undefined || compareVersions(version, newest) > 0) this.#store.put(`n${id}`, version);
  }

  /** The greatest version of a workflow. */
  newest(workflow: string): string | undefined {
    return this.#store.get(`n${workflow}`) as string | undefined;
  }

  hash(workflow: string, version: string): string | undefined {
    const known = this.#hashes.get(workflow);
    const read = known?.get(version);
    if (read !== undefined) return read;
    const hash = this.#store.get(`v${workflow}\0${version}`) as string | undefined;
    if (hash === undefined) return undefined;
    if (known === undefined) this.#hashes.set(workflow, new Map([[version, hash]]));
    else known.set(version, hash);
    return hash;
  }

  document(hash: string): Json {
    const document = this.#store.get(`h${hash}`);
    if (document === undefined) throw new FlowError('record.failed', `definition ${hash} is gone`);
    return document;
  }
}

/** By their three numbers: of `1.10.0` and `1.9.0` the first is greater. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [one.split('.').map(Number), other.split('.').map(Number)];
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/**
 * An engine as the benchmark of workflows sees it: this project's, or another one. Each implementation is one file of
 * this folder, and runs in a process of its own, which is its worker and its client; what servers it needs are children
 * of that process. All of them run one graph of ten nodes,
 *
 *     a -> b1, b2, b3, b4 -> c -> d1, d2, d3 -> e
 *
 * in which every node adds the number that {@link NODES} has for it to the sum of all that arrives, so that the result
 * is right only if each node ran with what it should have. Where an engine keeps what single nodes answered, it keeps it
 * for all ten.
 */
export interface Peer {
  /** How many executions at once it does the most with, for a second of CPU. */
  readonly inFlight: number;
  /** Starts servers, bound to the loopback, with their data in the folder. */
  start(folder: string): Promise<void>;
  /** Makes the graph known, and waits until it can be run. */
  load(): Promise<void>;
  /** Starts an execution; resolves with what its last node answered, once the caller of the engine knows it. */
  run(input: number): Promise<number>;
  /** Ends what `start` has started. */
  stop(): Promise<void>;
}

/** What each node adds. */
export const NODES = { a: 0, b1: 1, b2: 2, b3: 3, b4: 4, c: 5, d1: 6, d2: 7, d3: 8, e: 9 } as const;

export type NodeName = keyof typeof NODES;

/** What a node does. */
export function runNode(node: NodeName, ...inputs: readonly number[]): number {
  return inputs.reduce((sum, input) => sum + input, NODES[node]);
}

/** The graph as a function over nodes, for engines whose workflows are code. */
export async function runGraph(
  node: (name: NodeName, ...inputs: readonly number[]) => PromiseLike<number>,
  all: (nodes: PromiseLike<number>[]) => PromiseLike<number[]>,
  input: number,
): Promise<number> {
  const a = await node('a', input);
  const b = await all([node('b1', a), node('b2', a), node('b3', a), node('b4', a)]);
  const c = await node('c', ...b);
  const d = await all([node('d1', c), node('d2', c), node('d3', c)]);
  return node('e', ...d);
}

/** Results that are waited for, by the id of what brings them. */
export class Waiting {
  readonly #all = new Map<string, { resolve(result: number): void; reject(error: unknown): void }>();

  /** Begins the work; resolves once the result of that id is known. */
  result(id: string, begin: () => Promise<unknown>): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#all.set(id, { resolve, reject });
      begin().catch(reject);
    });
  }

  resolve(id: string, result: number): void {
    this.#all.get(id)?.resolve(result);
    this.#all.delete(id);
  }

  reject(id: string, error: unknown): void {
    this.#all.get(id)?.reject(error);
    this.#all.delete(id);
  }
}

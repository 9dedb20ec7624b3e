import type { Json } from '../../core/ids.ts';
import type { Header, NodeKey, NodeRow, Rows, StoredSignal } from './lifecycle.ts';

/** The rows of one execution in memory: for tests, for the state at a step of the past, and as what stores start from. */
export class MemoryRows implements Rows {
  readonly nodes = new Map<NodeKey, NodeRow>();
  readonly outputs = new Map<NodeKey, { [port: string]: Json }>();
  readonly pinned = new Map<string, Json>();
  readonly selected = new Set<number>();
  signals: readonly StoredSignal[] = [];
  #header: Header | undefined;

  header(): Header | undefined {
    return this.#header;
  }

  putHeader(header: Header): void {
    this.#header = header;
  }

  node(key: NodeKey): NodeRow | undefined {
    return this.nodes.get(key);
  }

  putNode(key: NodeKey, row: NodeRow): void {
    this.nodes.set(key, row);
  }

  dropNode(key: NodeKey): void {
    this.nodes.delete(key);
    this.outputs.delete(key);
  }

  allNodes(): Iterable<readonly [NodeKey, NodeRow]> {
    return this.nodes;
  }

  output(key: NodeKey, port: string): Json | undefined {
    const ports = this.outputs.get(key);
    return ports !== undefined && Object.hasOwn(ports, port) ? ports[port] : undefined;
  }

  putOutput(key: NodeKey, port: string, value: Json): void {
    const ports = this.outputs.get(key);
    if (ports === undefined) this.outputs.set(key, { [port]: value });
    else ports[port] = value;
  }

  isSelected(node: number): boolean {
    return this.selected.has(node);
  }

  putSelection(nodes: readonly number[]): void {
    for (const node of nodes) this.selected.add(node);
  }

  pin(id: string): Json | undefined {
    return this.pinned.get(id);
  }

  pins(): Iterable<readonly [id: string, value: Json]> {
    return this.pinned;
  }

  putPins(pins: { readonly [id: string]: Json }): void {
    for (const [id, value] of Object.entries(pins)) this.pinned.set(id, value);
  }

  signal(name: string): StoredSignal | undefined {
    return this.signals.find((each) => each.name === name);
  }

  putSignal(signal: StoredSignal): void {
    this.signals = [...this.signals, signal];
  }

  takeSignal(name: string, id: string): void {
    this.signals = this.signals.filter((each) => each.name !== name || each.id !== id);
  }
}

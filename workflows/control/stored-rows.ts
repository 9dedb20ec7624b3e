import type { Json, Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { Header, NodeKey, NodeRow, PatchOp, Rows, StoredSignal } from '../lifecycle/lifecycle.ts';
import { EdgeSets } from './edge-sets.ts';
import { GivenRows } from './given-rows.ts';
import { decodeHeader, decodePage, emptyPage, encodeHeader, encodePage, type Page } from './row-codec.ts';
import { SplitLists } from './split-lists.ts';

/** Node rows of so many nodes lie in one row of the store. */
const PAGE_NODES = 16;
/** A larger output lies in a row of its own. */
const INLINE_CHARS = 1024;
const SEPARATOR = '\0';
const BEHIND = '\u0001';

/** Lists of nodes in the header that may be long. */
type NodeList = 'compensable' | 'listening';

type Store = Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete' | 'range'>;

/**
 * The rows of one execution, over the store of its partition, for one step: what is read is kept, what is written reaches
 * the store in {@link flush}. An execution that ends within its first step so never touches the store.
 *
 *     <execution> \0 h                        the header
 *     <execution> \0 p <iteration> \0 <page>  nodes and outputs, 16 nodes a row
 *     <execution> \0 o <iteration> \0 <node> \0 <port>  an output that is large
 *     <execution> \0 e ...                    edges that have told a node, of those on which many join: {@link EdgeSets}
 *     <execution> \0 c ..., \0 i ...          what was selected and pinned when it began: {@link GivenRows}
 *     <execution> \0 u <list> \0 <n>          nodes that the header lists, where they are many: {@link SplitLists}
 *     <execution> \0 s                        signals that nobody has taken
 *     <execution> \0 g                        the patches of its graph
 */
export class StoredRows implements Rows {
  readonly execution: string;
  /** The time of its last step; 0 before the first. */
  at: Millis = 0;
  readonly #store: Store;
  readonly #pages = new Map<string, Map<number, Page>>();
  readonly #lists: SplitLists;
  readonly #edges: EdgeSets;
  #given: GivenRows | undefined;
  #header: Header | undefined;
  #isNew = false;
  #allRead = false;
  #signals: StoredSignal[] | undefined;
  #hasSignals = false;
  #signalsChanged = false;

  constructor(store: Store, execution: string) {
    this.#store = store;
    this.execution = execution;
    this.#lists = new SplitLists(store);
    this.#edges = new EdgeSets(this.#lists, execution);
    const stored = store.get(this.#name('h'));
    if (stored === undefined) {
      this.#isNew = true;
      return;
    }
    const { header, at, signals, selected, pins } = decodeHeader(execution, stored);
    if (selected !== undefined) this.putSelection(selected);
    if (pins !== undefined) this.putPins(pins);
    this.#header = withLists(header, (name, list) => this.#lists.whole<NodeKey>(this.#listName(name), list));
    this.at = at;
    this.#hasSignals = signals;
  }

  header(): Header | undefined {
    return this.#header;
  }

  putHeader(header: Header): void {
    this.#header = header;
  }

  node(key: NodeKey): NodeRow | undefined {
    const at = key.indexOf('@');
    const node = at < 0 ? Number(key) : Number(key.slice(0, at));
    return this.#page(at < 0 ? '' : key.slice(at + 1), node).nodes.get(node);
  }

  putNode(key: NodeKey, row: NodeRow): void {
    const at = key.indexOf('@');
    const node = at < 0 ? Number(key) : Number(key.slice(0, at));
    const page = this.#page(at < 0 ? '' : key.slice(at + 1), node);
    page.nodes.set(node, row);
    page.changed = true;
  }

  dropNode(key: NodeKey): void {
    const at = key.indexOf('@');
    const node = at < 0 ? Number(key) : Number(key.slice(0, at));
    const iteration = at < 0 ? '' : key.slice(at + 1);
    const page = this.#page(iteration, node);
    for (const [port, value] of page.outputs.get(node) ?? []) {
      if (value === undefined) this.#store.delete(this.#largeName(iteration, node, port));
    }
    this.#edges.drop(iteration, node);
    page.nodes.delete(node);
    page.outputs.delete(node);
    page.changed = true;
  }

  *allNodes(): Iterable<readonly [NodeKey, NodeRow]> {
    this.#readAll();
    for (const [iteration, pages] of this.#pages) {
      for (const page of pages.values()) {
        for (const [node, row] of page.nodes) yield [iteration === '' ? `${node}` : `${node}@${iteration}`, row];
      }
    }
  }

  output(key: NodeKey, port: string): Json | undefined {
    const at = key.indexOf('@');
    const node = at < 0 ? Number(key) : Number(key.slice(0, at));
    const iteration = at < 0 ? '' : key.slice(at + 1);
    const ports = this.#page(iteration, node).outputs.get(node);
    if (ports === undefined || !ports.has(port)) return undefined;
    const value = ports.get(port);
    return value === undefined ? this.#store.get(this.#largeName(iteration, node, port)) : value;
  }

  putOutput(key: NodeKey, port: string, value: Json): void {
    const at = key.indexOf('@');
    const node = at < 0 ? Number(key) : Number(key.slice(0, at));
    const page = this.#page(at < 0 ? '' : key.slice(at + 1), node);
    const ports = page.outputs.get(node);
    if (ports === undefined) page.outputs.set(node, new Map([[port, value]]));
    else ports.set(port, value);
    page.changed = true;
  }

  isSelected(node: number): boolean {
    return this.#givenRows().isSelected(node);
  }

  putSelection(nodes: readonly number[]): void {
    this.#givenRows().putSelection(nodes);
  }

  pin(id: string): Json | undefined {
    return this.#givenRows().pin(id);
  }

  pins(): Iterable<readonly [id: string, value: Json]> {
    return this.#givenRows().pins();
  }

  putPins(pins: { readonly [id: string]: Json }): void {
    this.#givenRows().putPins(pins);
  }

  signal(name: string): StoredSignal | undefined {
    return this.#readSignals().find((each) => each.name === name);
  }

  putSignal(signal: StoredSignal): void {
    this.#readSignals().push(signal);
    this.#signalsChanged = true;
  }

  takeSignal(name: string, id: string): void {
    const signals = this.#readSignals();
    const place = signals.findIndex((each) => each.name === name && each.id === id);
    if (place >= 0) signals.splice(place, 1);
    this.#signalsChanged = true;
  }

  /** All of them: by step or by hand, what views need. */
  outputs(): Iterable<readonly [node: number, iteration: string, ports: readonly string[]]> {
    this.#readAll();
    return [...this.#pages].flatMap(([iteration, pages]) =>
      [...pages.values()].flatMap(({ outputs }) =>
        [...outputs].map(([node, ports]) => [node, iteration, [...ports.keys()]] as const),
      ),
    );
  }

  patches(): readonly (readonly PatchOp[])[] {
    return (this.#store.get(this.#name('g')) ?? []) as unknown as readonly (readonly PatchOp[])[];
  }

  keepPatches({ events }: Pick<StepRecord, 'events'>): void {
    for (const event of events) {
      if (event.type === 'patched') this.#store.put(this.#name('g'), [...this.patches(), event.ops] as unknown as Json);
    }
  }

  /** Brings the store up to what was done here; rows of what has ended go. */
  flush(at: Millis): void {
    const header = this.#header;
    if (header === undefined) return;
    if (header.phase === 'ended') {
      if (!this.#isNew) this.#deleteAll();
      return;
    }
    for (const [iteration, pages] of this.#pages) {
      for (const [number, page] of pages) if (page.changed) this.#writePage(iteration, number, page);
    }
    this.#given?.flush();
    if (this.#signalsChanged) {
      if (this.#signals!.length > 0) this.#store.put(this.#name('s'), this.#signals as unknown as Json);
      else if (this.#hasSignals) this.#store.delete(this.#name('s'));
      this.#hasSignals = this.#signals!.length > 0;
    }
    this.at = at;
    // what stands for rows of their own is a number
    const split = (name: NodeList, list: readonly NodeKey[]) =>
      this.#lists.isSplit(list) ? (this.#lists.split(this.#listName(name), list) as readonly NodeKey[]) : list;
    const written = withLists(header, split);
    this.#store.put(this.#name('h'), encodeHeader({ header: written, at, signals: this.#hasSignals }));
    this.#isNew = false;
  }

  #writePage(iteration: string, number: number, page: Page): void {
    for (const [node, ports] of page.outputs) {
      for (const [port, value] of ports) {
        if (value === undefined || isSmall(value)) continue;
        this.#store.put(this.#largeName(iteration, node, port), value);
        ports.set(port, undefined);
      }
    }
    const nodes = new Map([...page.nodes].map(([node, row]) => [node, this.#edges.split(iteration, node, row)]));
    this.#store.put(this.#pageName(iteration, number), encodePage({ ...page, nodes }));
    page.changed = false;
  }

  #page(iteration: string, node: number): Page {
    let pages = this.#pages.get(iteration);
    if (pages === undefined) {
      pages = new Map();
      this.#pages.set(iteration, pages);
    }
    const number = node < PAGE_NODES ? 0 : Math.floor(node / PAGE_NODES);
    let page = pages.get(number);
    if (page === undefined) {
      const stored = this.#isNew ? undefined : this.#store.get(this.#pageName(iteration, number));
      page = stored === undefined ? emptyPage() : this.#read(iteration, stored);
      pages.set(number, page);
    }
    return page;
  }

  #read(iteration: string, stored: Json): Page {
    const page = decodePage(stored);
    for (const [node, row] of page.nodes) {
      const whole = this.#edges.whole(iteration, node, row);
      if (whole !== row) page.nodes.set(node, whole);
    }
    return page;
  }

  #readAll(): void {
    if (this.#allRead || this.#isNew) return;
    this.#allRead = true;
    const from = this.#name('p');
    for (const [key, stored] of this.#store.range(from, `${from}\uffff`)) {
      const [iteration, number] = key.slice(from.length).split(SEPARATOR) as [string, string];
      let pages = this.#pages.get(iteration);
      if (pages === undefined) {
        pages = new Map();
        this.#pages.set(iteration, pages);
      }
      if (!pages.has(Number(number))) pages.set(Number(number), this.#read(iteration, stored));
    }
  }

  #givenRows(): GivenRows {
    this.#given ??= new GivenRows(this.#store, this.execution);
    return this.#given;
  }

  #readSignals(): StoredSignal[] {
    if (this.#signals === undefined) {
      const stored = this.#hasSignals ? this.#store.get(this.#name('s')) : undefined;
      this.#signals = [...((stored ?? []) as unknown as readonly StoredSignal[])];
    }
    return this.#signals;
  }

  #deleteAll(): void {
    const from = `${this.execution}${SEPARATOR}`;
    const keys = [...this.#store.range(from, `${this.execution}${BEHIND}`)].map(([key]) => key);
    for (const key of keys) if (key.startsWith(from)) this.#store.delete(key);
  }

  #name(kind: string): string {
    return `${this.execution}${SEPARATOR}${kind}`;
  }

  #listName(list: NodeList): string {
    return `${this.#name('u')}${list}${SEPARATOR}`;
  }

  #pageName(iteration: string, number: number): string {
    return `${this.execution}${SEPARATOR}p${iteration}${SEPARATOR}${number}`;
  }

  #largeName(iteration: string, node: number, port: string): string {
    return `${this.execution}${SEPARATOR}o${iteration}${SEPARATOR}${node}${SEPARATOR}${port}`;
  }
}

function withLists(header: Header, of: (name: NodeList, list: readonly NodeKey[]) => readonly NodeKey[]): Header {
  const compensable = of('compensable', header.compensable);
  const listening = of('listening', header.listening);
  const isSame = compensable === header.compensable && listening === header.listening;
  return isSame ? header : { ...header, compensable, listening };
}

/** The row that stands as long as an execution does. */
export function headerName(execution: string): string {
  return `${execution}${SEPARATOR}h`;
}

/** The checkpoint that a task stands at, by a store that is asked from outside; null where it has none. */
export async function checkpointIn(
  get: (name: string) => Promise<Json | undefined>,
  { x, n, i }: { readonly x: string; readonly n: number; readonly i: string },
): Promise<Json> {
  const page = [`${x}${SEPARATOR}p${i}`, Math.floor(n / PAGE_NODES)].join(SEPARATOR);
  const stored = await get(page);
  return stored === undefined ? null : ((decodePage(stored).nodes.get(n)?.checkpoint ?? null) as Json);
}

function isSmall(value: Json): boolean {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return true;
  if (typeof value === 'string') return value.length <= INLINE_CHARS;
  return JSON.stringify(value).length <= INLINE_CHARS;
}

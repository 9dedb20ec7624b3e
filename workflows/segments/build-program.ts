import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { expr, type Program, topic as topicOf, topology } from '../../topology/topology.ts';
import type { GraphEdge, GraphNode } from '../graph.ts';
import type { Dsl, Flow, SegmentParts } from './flows.ts';
import { formatOf } from './formats.ts';
import { recordsFlow } from './make-flow.ts';
import type { SegmentCollect, SegmentExport, SegmentProgram, SegmentRun } from './segments.ts';

/** The program of a segment: each node adds its part, those before it first, in the order of the document. */
export function buildProgram(numbers: readonly number[], run: SegmentRun): SegmentProgram {
  return new Building(numbers, run).build();
}

class Building {
  readonly #run: SegmentRun;
  readonly #nodes: readonly GraphNode[];
  readonly #app;
  readonly #owners = new Map<string, string>();
  readonly #writers = new Map<string, string>();
  readonly #collects: SegmentCollect[] = [];
  readonly #exports: SegmentExport[] = [];
  /** What left, by node number and port. */
  readonly #flows = new Map<string, Flow>();

  constructor(numbers: readonly number[], run: SegmentRun) {
    this.#run = run;
    this.#nodes = numbers.map((number) => run.graph.nodes[number]!);
    this.#app = topology(run.name);
  }

  build(): SegmentProgram {
    for (const node of this.#inOrder()) this.#add(node);
    let program: Program;
    try {
      program = this.#app.build();
    } catch (thrown) {
      const first = this.#nodes[0]!.id;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new FlowError('workflow.invalid', `the segment of node ${first}: ${why}`, { cause: thrown });
    }
    return {
      program,
      owners: this.#allOwners(program),
      collects: this.#collects,
      exports: this.#exports,
    };
  }

  #add(node: GraphNode): void {
    const { behaviour, name } = node.type;
    if (behaviour.kind !== 'operator' || behaviour.build === undefined) {
      throw new FlowError('workflow.invalid', `node ${node.id}: the type ${name} adds nothing to a plan`);
    }
    const arrived = new Map<string, Flow>();
    const parts = this.#parts(node, arrived);
    for (const edge of this.#incoming(node)) {
      const flow = this.#flows.get(`${edge.source} ${edge.sourcePort}`);
      if (flow === undefined) continue;
      if (edge.when !== null || edge.map !== null) {
        throw parts.fail(
          `gets records by the edge ${edge.id}, which has a when or a map; put op.filter or op.map between`,
        );
      }
      const before = arrived.get(edge.targetPort);
      const merged = before === undefined ? flow : this.#merged(parts, before, flow);
      arrived.set(edge.targetPort, merged);
    }
    for (const [port, { kind, optional }] of Object.entries(node.type.inputs)) {
      if (kind !== 'value' && optional !== true && !arrived.has(port)) throw parts.fail(`gets no records at ${port}`);
    }
    const outputs = behaviour.build({ ...parts, inputs: Object.fromEntries(arrived) });
    for (const [port, flow] of Object.entries(outputs)) this.#flows.set(`${node.number} ${port}`, flow);
  }

  #merged(parts: SegmentParts, a: Flow, b: Flow): Flow {
    return recordsFlow(parts, parts.own(a.records().merge(b.records())), a.made || b.made);
  }

  #parts(node: GraphNode, arrived: ReadonlyMap<string, Flow>): SegmentParts {
    const { name, input, values } = this.#run;
    const own = Object.keys(values).filter((port) => port.startsWith(`${node.id}.`));
    const arriving = Object.fromEntries(own.map((port) => [port.slice(node.id.length + 1), values[port]!]));
    const fail = (why: string) => new FlowError('workflow.invalid', `node ${node.id} ${why}`);
    const format = (spec: Json | undefined) => {
      const serde = formatOf(spec ?? 'json');
      if (serde === undefined) throw fail(`names a format that is none: ${JSON.stringify(spec)}`);
      return serde;
    };
    const scope = { input, value: arriving['in'] ?? input, inputs: arriving };
    return {
      node: node.id,
      name,
      topology: this.#app as unknown as Dsl,
      config: node.template.fill(scope) as SegmentParts['config'],
      inputs: Object.fromEntries(arrived),
      values: 'in' in arriving ? arriving : { in: input, ...arriving },
      expr,
      format,
      topic: (named, { key, value, partitions }) =>
        topicOf(named, { key: format(key), value: format(value), partitions }),
      own: (place) => {
        this.#owners.set(place.id, node.id);
        return place;
      },
      writes: ({ name: written }) => this.#writers.set(written, node.id),
      collect: (topic, options) => this.#collects.push({ node: node.id, topic, ...options }),
      export: (topic, target) => this.#exports.push({ node: node.id, topic, target }),
      startForRecord: (start, signal) => {
        const { startForRecord } = this.#run;
        if (startForRecord === undefined) throw fail('starts executions, and nothing runs any here');
        return startForRecord({ node: node.number, ...start }, signal);
      },
      inputTopic: (named) => this.#run.topics?.[named] ?? named,
      fail,
    };
  }

  #incoming(node: GraphNode): readonly GraphEdge[] {
    return node.incoming.map((number) => this.#run.graph.edges[number]!).filter((edge) => !edge.removed);
  }

  /** Sources first, and of those that may come next always the first one of the document. */
  #inOrder(): readonly GraphNode[] {
    const ids = new Set(this.#nodes.map(({ number }) => number));
    const done = new Set<number>();
    const ordered: GraphNode[] = [];
    while (ordered.length < this.#nodes.length) {
      const next = this.#nodes.find(
        (node) =>
          !done.has(node.number) && this.#incoming(node).every(({ source }) => !ids.has(source) || done.has(source)),
      );
      if (next === undefined) throw new FlowError('workflow.invalid', 'the records of a segment go round in a circle');
      done.add(next.number);
      ordered.push(next);
    }
    return ordered;
  }

  /** What no node has called its own belongs to who writes there, or to who owns what stands behind or before it. */
  #allOwners({ plan }: Program): ReadonlyMap<string, string> {
    const owners = new Map(this.#owners);
    for (const node of plan.nodes) {
      if (node.kind === 'to') owners.set(node.id, this.#writers.get(node.topic) ?? owners.get(node.inputs[0]!)!);
    }
    for (const node of plan.nodes) {
      if (owners.has(node.id)) continue;
      const behind = plan.nodes.find(({ id, inputs }) => inputs.includes(node.id) && owners.has(id));
      const owner = (behind === undefined ? undefined : owners.get(behind.id)) ?? owners.get(node.inputs[0] ?? '');
      if (owner !== undefined) owners.set(node.id, owner);
    }
    return owners;
  }
}

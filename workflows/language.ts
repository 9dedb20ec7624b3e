import type { Json, Millis } from '../core/ids.ts';
import type { FailureInfo } from '../events/events.ts';
import type { Catalog } from './catalog.ts';
import type { DocumentFault } from './document.ts';
import type { Graph } from './graph.ts';
import type { Lifecycle, PatchOp, RunInline } from './lifecycle/lifecycle.ts';
import type { HttpSettings } from './nodes/http-call.ts';

/**
 * All that the control plane has to know of documents and of the life of executions. It runs what it is given: tests
 * bring small ones.
 */
export interface Language {
  readonly catalog: Catalog;
  /** What documents may reach by HTTP. */
  readonly http: HttpSettings;
  validate(document: unknown): readonly DocumentFault[];
  /** Of a document without faults. */
  compile(document: Json): Graph;
  /** The next revision of a graph, or what is wrong with it. */
  patch(graph: Graph, ops: readonly PatchOp[]): Graph | readonly DocumentFault[];
  /** `heldAfter`: see {@link HELD_AFTER}. */
  lifecycle(runInline: RunInline, heldAfter?: number): Lifecycle;
  /** What a task has thrown, in the words of the engine. */
  failure(thrown: unknown, instance: string): FailureInfo;
  /** When whoever a task has asked wants to be asked again. */
  retryAfter?(thrown: unknown): Millis | undefined;
}

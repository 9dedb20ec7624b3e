import type { NodeOf } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Scheme } from './scheme.ts';
import type { DeclaredWindows } from './window-handles.ts';

/**
 * Handles as they are made, without types: a builder, the id of one node, and how it lies on partitions. They
 * make each other through this, so that their files need not know one another. The types stand in `handles.ts`.
 */
export interface Wire {
  readonly builder: PlanBuilder;
  stream(at: Place): Place;
  table(at: Place, store: string | null): Stored;
  windowedTable(at: Place, store: string): Stored;
  finalTable(at: Place): Place;
  grouped(at: Place): Place;
  groupedTable(at: Place): Place;
  windowedGroup(at: Place, windows: DeclaredWindows, emit: NodeOf<'aggregate'>['emit']): Place;
}

export interface Place {
  readonly id: string;
  readonly partitions: Scheme;
}

export interface Stored extends Place {
  /** Null where its rows are made of those of other tables. */
  readonly store: string | null;
}

/** Any function of a user, as the builder keeps it. */
export type Lambda = (...args: never[]) => unknown;

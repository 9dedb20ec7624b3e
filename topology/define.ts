import { GroupedHandle } from './grouped.ts';
import { GroupedTableHandle } from './grouped-table.ts';
import type { Topology } from './handles.ts';
import { PlanBuilder } from './plan-builder.ts';
import { StreamHandle } from './stream.ts';
import { TableHandle } from './table.ts';
import { TopologyHandle } from './topology-handle.ts';
import { WindowedGroupHandle } from './windowed-group.ts';
import type { Wire } from './wire.ts';

/**
 * A new topology. The name is the application's: it prefixes its internal topics, names its group and its state
 * folder; another name is another application.
 */
export function topology(name: string): Topology {
  const wire: Wire = {
    builder: new PlanBuilder(name),
    stream: (at) => new StreamHandle(wire, at),
    table: (at, store) => new TableHandle(wire, at, store),
    windowedTable: (at, store) => new TableHandle(wire, at, store),
    finalTable: (at) => new TableHandle(wire, at, null),
    grouped: (at) => new GroupedHandle(wire, at),
    groupedTable: (at) => new GroupedTableHandle(wire, at),
    windowedGroup: (at, windows, emit) => new WindowedGroupHandle(wire, at, windows, emit),
  };
  // The one place where handles get their types: they hold no types of their own to check against.
  return new TopologyHandle(wire) as unknown as Topology;
}

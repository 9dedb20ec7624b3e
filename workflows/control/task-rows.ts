import type { Clock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { Run } from '../../runtime/runtime.ts';
import { partitionOf } from './history.ts';
import { leftoverName } from './leftovers.ts';
import { CONTROL_STORE } from './program.ts';
import type { RecordStartsParts } from './record-starts.ts';
import { restored } from './restored.ts';
import { decodeHeader } from './row-codec.ts';
import type { SegmentCallsParts } from './segment-calls.ts';
import { type Place, placeName } from './slots.ts';
import { checkpointIn, headerName } from './stored-rows.ts';
import type { TaskCallsParts } from './task-calls.ts';

/** What the rows say of a task whose call is made again; while its partition is being restored they say nothing. */
export function taskRows(
  running: Promise<Run>,
  clock: Clock,
  partitions: number,
): Pick<TaskCallsParts, 'isWanted' | 'checkpoint' | 'endOf'> &
  Pick<RecordStartsParts, 'phase'> &
  Pick<SegmentCallsParts, 'isLeft'> {
  const row = async (execution: string, name: string) => {
    const { query } = await running;
    const store = query.store<string, Json>(CONTROL_STORE);
    const partition = partitionOf(execution, partitions);
    return restored(clock, () => store.get(name, { read: 'live', partition }));
  };
  return {
    async isWanted({ x, n, i, a }) {
      const place = (await row(x, placeName({ execution: x, node: n, iteration: i }))) as Place | undefined;
      return place !== undefined && place.attempt === a && place.key === null;
    },
    checkpoint: (task) => checkpointIn((name) => row(task.x, name), task),
    async phase(execution) {
      const found = await row(execution, headerName(execution));
      return found === undefined ? undefined : decodeHeader(execution, found).header.phase;
    },
    isLeft: async ({ x, clear, id }) => (await row(x, leftoverName(clear))) === id,
    async endOf(execution) {
      const found = await row(execution, headerName(execution));
      if (found === undefined) return undefined;
      const { savepoint, ending } = decodeHeader(execution, found).header;
      return savepoint !== null ? 'savepoint' : ending ? 'end' : undefined;
    },
  };
}

import { join } from 'node:path';
import { tenNodes } from '../../../workflows/control/testing/small-documents.ts';
import { openWorld, type World } from '../../workflows/measure.ts';
import type { Peer } from './peer.ts';

/** This project's engine, embedded, on the file log, with its settings as they are. */
export function createPeer(): Peer {
  let world: World;
  let next = 0;
  return {
    inFlight: 2000,
    async start(folder) {
      world = await openWorld({}, {}, join(folder, 'engine'));
    },
    async load() {
      await world.workflows.publish(tenNodes());
    },
    async run(input) {
      const { output, error } = await world.workflows.run('ten', input, { execution: `ten-${next++}` });
      if (error !== null) throw new Error(JSON.stringify(error));
      return (output as { readonly e: number }).e;
    },
    stop: () => world.stop(),
  };
}

import { join } from 'node:path';
import { tenNodes } from '../../../workflows/control/testing/small-documents.ts';
import { openWorld, type World } from '../../workflows/measure.ts';
import type { Peer } from './peer.ts';

/** This project's engine, embedded, on the file log, with its settings as they are. */
export function createPeer(): Peer {
  let world: World;
  return {
    inFlight: 10_000,
    async start(folder) {
      world = await openWorld({}, {}, join(folder, 'engine'));
    },
    async load() {
      await world.workflows.publish(tenNodes());
    },
    async run(input) {
      const { execution } = await world.workflows.start('ten', input);
      const { output } = await world.workflows.ended(execution);
      return (output as { readonly e: number }).e;
    },
    stop: () => world.stop(),
  };
}

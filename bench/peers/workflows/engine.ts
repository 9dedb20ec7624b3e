import { join } from 'node:path';
import { tenNodes } from '../../../workflows/control/testing/small-documents.ts';
import { openWorld, type World } from '../../workflows/measure.ts';
import { type Peer, Waiting } from './peer.ts';

/**
 * This project's engine, embedded, on the file log, with its settings as they are. The client hears of ends from the feed
 * of committed steps.
 */
export function createPeer(): Peer {
  let world: World;
  const waiting = new Waiting();
  let next = 0;
  return {
    inFlight: 2000,
    async start(folder) {
      world = await openWorld({}, {}, join(folder, 'engine'));
    },
    async load() {
      await world.workflows.publish(tenNodes());
      world.workflows.feed.steps({ types: ['EXECUTION_COMPLETED'] }, undefined, ({ record }) => {
        for (const event of record.events) {
          if (event.type !== 'ended') continue;
          const { error, output } = event;
          if (error === null) waiting.resolve(record.execution, (output as { readonly e: number }).e);
          else waiting.reject(record.execution, new Error(JSON.stringify(error)));
        }
      });
    },
    run(input) {
      const execution = `ten-${next++}`;
      return waiting.result(execution, () => world.workflows.start('ten', input, { execution }));
    },
    stop: () => world.stop(),
  };
}

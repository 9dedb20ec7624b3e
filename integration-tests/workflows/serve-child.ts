import { systemClock } from '../../core/clock.ts';
import { openGateway } from '../../gateway/gateway.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { DOCUMENTS, open, openLog, type Place } from './world.ts';

/** Serves workflows by HTTP, and prints where; ends when it is told to. */
const place = JSON.parse(process.argv[2]!) as Place;
const log = await openLog(place);
const workflows = await open(place, log);
for (const document of DOCUMENTS) await workflows.publish(document);
const gateway = await openGateway({
  ...{ workflows, projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 },
});
console.log(gateway.url);
process.once('SIGTERM', async () => {
  await gateway.close();
  await workflows.drain();
  await log.close();
});

import { type Job, KAFKA_ROWS } from './rows.ts';

/** Records a second that two cores with nothing else to do take, roughly; a series corrects them as it goes. */
const ENGINE: { readonly [job in Job]: number } = { pass: 450_000, filter: 700_000, count: 200_000 };
const PEER: { readonly [job in Job]: number } = { pass: 280_000, filter: 400_000, count: 65_000 };
const LOAD = 400_000;
const CHECK = 700_000;
/** Records of output for one of input. */
const OUTPUT: { readonly [job in Job]: number } = { pass: 1, filter: 0.125, count: 1 };
/** Processes that start and end around a run. */
const AROUND_SECONDS = 6;

/** How long things take, in seconds. */
export const PACE = {
  load: (records: number) => AROUND_SECONDS + records / LOAD,
  engine: (row: string, records: number) => run(ENGINE, row, records),
  peer: (row: string, records: number) => run(PEER, row, records),
  latency: (warm: number, seconds: number) => AROUND_SECONDS + warm + seconds,
} as const;

function run(pace: { readonly [job in Job]: number }, row: string, records: number): number {
  const { job } = KAFKA_ROWS[row]!;
  return AROUND_SECONDS + records / pace[job] + (records * OUTPUT[job]) / CHECK;
}

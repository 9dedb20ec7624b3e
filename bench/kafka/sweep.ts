import { messageOf } from '../../core/errors.ts';
import { type Measured, measureStreams, type Series } from './measure.ts';
import { COUNT_SWEEP, HEAPS_MB, type Profile, SWEEP, withHeap } from './profiles.ts';
import { inWords } from './report.ts';
import { KAFKA_ROWS } from './rows.ts';

/** The settings of Kafka Streams that a row is measured with. */
export interface Choice {
  /** Takes the least CPU. */
  readonly best: Profile;
  /** The same with the smallest heap that takes at most 5 percent more. */
  readonly small: Profile;
  /** What the sweep saw of `small`. */
  readonly measured?: Measured;
}

/** What a smaller heap may cost. */
const SPARE = 1.05;

/** How many runs a sweep takes at most. */
export function sweepRuns(row: string): number {
  return profilesOf(row).length + HEAPS_MB.length;
}

function profilesOf(row: string): readonly Profile[] {
  return KAFKA_ROWS[row]!.job === 'count' ? COUNT_SWEEP : SWEEP;
}

export function defaultChoice(row: string): Choice {
  const [best] = profilesOf(row);
  return { best: best!, small: withHeap(best!, 256) };
}

/** Tries settings of the peer for a row, exactly-once, one run each; then ever smaller heaps under the best of them. */
export async function sweep(series: Series, row: string, say: (text: string) => void): Promise<Choice> {
  say(`${row}: settings of Kafka Streams, exactly-once, ${series.records} records, one run each`);
  // what cannot do the job, such as a heap that is too small for it, is passed over
  const run = async (profile: Profile): Promise<Measured | undefined> => {
    try {
      const measured = await measureStreams(series, row, profile, 'exactly-once');
      say(inWords(profile.name, measured));
      return measured;
    } catch (thrown) {
      say(`  ${profile.name}: ${messageOf(thrown)}`);
      return undefined;
    }
  };
  let best: { readonly profile: Profile; readonly measured: Measured } | undefined;
  for (const profile of profilesOf(row)) {
    const measured = await run(profile);
    if (measured === undefined) continue;
    if (best === undefined || measured.engineCpu < best.measured.engineCpu) best = { profile, measured };
  }
  if (best === undefined) throw new Error(`Kafka Streams did row ${row} under none of its settings`);
  let small = best;
  for (const megabytes of HEAPS_MB) {
    const profile = withHeap(best.profile, megabytes);
    const measured = await run(profile);
    if (measured === undefined) break;
    if (measured.engineCpu <= best.measured.engineCpu * SPARE) small = { profile, measured };
  }
  return { best: best.profile, small: small.profile, measured: small.measured };
}

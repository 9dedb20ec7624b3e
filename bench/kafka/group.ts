import { messageOf } from '../../core/errors.ts';
import { spread } from '../spread.ts';
import { type Latency, measureLatency } from './latency.ts';
import {
  COMMIT_INTERVAL_MS,
  type Guarantee,
  type Measured,
  measureEngine,
  measureNeighbour,
  measureStreams,
  type Series,
  startEngine,
  startStreams,
} from './measure.ts';
import type { Neighbours } from './neighbours.ts';
import { PACE } from './pace.ts';
import { CACHED, DEFAULTS, type Profile } from './profiles.ts';
import type { Progress } from './progress.ts';
import { medianOf, type Result, type RowResult } from './report.ts';
import { KAFKA_ROWS, PARTITIONS, type RowName } from './rows.ts';
import type { Choice } from './sweep.ts';

/** Rows that ask the same of the peer are measured beside the same runs of it. */
export interface Group {
  readonly rows: readonly RowName[];
  readonly guarantees: readonly Guarantee[];
}

export interface GroupOptions {
  readonly pairs: number;
  /** Also what stands beside the rows: memory at a small heap, other settings, other clients. */
  readonly beside: boolean;
  readonly neighbours: Neighbours | undefined;
  /** Seconds of load at half speed, and before them to warm up; 0: no latencies. */
  readonly latencySeconds: number;
  readonly warmSeconds: number;
}

const SLICES_A_COMMIT = 4;

export const COST_GOAL = 1.15;
export const MEMORY_GOAL = 2;

export function groupsOf(rows: readonly RowName[], guarantees: readonly Guarantee[]): readonly Group[] {
  const jobs = new Map<string, RowName[]>();
  for (const row of rows) {
    const { job } = KAFKA_ROWS[row]!;
    jobs.set(job, [...(jobs.get(job) ?? []), row]);
  }
  return [...jobs.values()].map((each) => ({ rows: each, guarantees }));
}

/** Seconds that a pair of every row of a group takes. */
export function roundSeconds({ rows, guarantees }: Group, records: number): number {
  const engines = rows.reduce((sum, row) => sum + PACE.engine(row, records), 0);
  return guarantees.length * (engines + PACE.peer(rows[0]!, records));
}

/** Seconds of everything else of a group, its sweep left out. */
export function besideSeconds(
  group: Group,
  options: Omit<GroupOptions, 'pairs'>,
  { full, small }: { readonly full: number; readonly small: number },
): number {
  const { rows, guarantees } = group;
  const latency = PACE.latency(options.warmSeconds, options.latencySeconds);
  let seconds = options.latencySeconds === 0 ? 0 : rows.length * guarantees.length * 2 * latency;
  if (!options.beside) return seconds;
  seconds += PACE.engine(rows[0]!, small);
  if (KAFKA_ROWS[rows[0]!]!.job === 'count') seconds += guarantees.length * PACE.engine(rows[0]!, full);
  seconds += othersOf(rows[0]!).length * PACE.peer(rows[0]!, small);
  return seconds + (rows.includes('pass') ? (options.neighbours?.there.length ?? 0) * PACE.peer('pass', small) : 0);
}

function othersOf(row: string): readonly Profile[] {
  return KAFKA_ROWS[row]!.job === 'count' ? [DEFAULTS, ...CACHED] : [DEFAULTS];
}

/** Runs of one pair, and whose they are. */
class Samples {
  readonly #all = new Map<string, Measured[]>();

  add(who: string, measured: Measured): void {
    this.#all.set(who, [...(this.#all.get(who) ?? []), measured]);
  }

  of(who: string): readonly Measured[] {
    return this.#all.get(who) ?? [];
  }
}

/** Measures a group over the full input, and beside it what takes fewer records. */
export class GroupRun {
  readonly #full: Series;
  readonly #small: Series;
  readonly #group: Group;
  readonly #choice: Choice;
  readonly #options: GroupOptions;
  readonly #progress: Progress;
  readonly #samples = new Samples();

  constructor(full: Series, small: Series, group: Group, choice: Choice, options: GroupOptions, progress: Progress) {
    this.#full = full;
    this.#small = small;
    this.#group = group;
    this.#choice = choice;
    this.#options = options;
    this.#progress = progress;
  }

  async run(tell: (result: Result) => void): Promise<void> {
    const { pairs, beside } = this.#options;
    for (let n = 0; n < pairs; n++) await this.#round(n);
    const results = this.#rows();
    for (const result of results) tell(await this.#withLatency(result));
    for (const result of this.#costs()) tell(result);
    if (!beside) return;
    if (KAFKA_ROWS[this.#group.rows[0]!]!.job === 'count') {
      for (const result of await this.#asManyCommits()) tell(result);
    }
    tell(await this.#memory());
    for (const result of await this.#beside()) tell(result);
  }

  /** Every side once, in turns forwards and backwards. */
  async #round(n: number): Promise<void> {
    const { rows, guarantees } = this.#group;
    const { records } = this.#full;
    const of = `pair ${n + 1} of ${this.#options.pairs}`;
    const sides = guarantees.flatMap((guarantee) => [
      ...rows.map((row) => async () => {
        const run = () => measureEngine(this.#full, row, guarantee);
        const measured = await this.#progress.step(
          `${row}, ${guarantee}, ${of}: engine`,
          PACE.engine(row, records),
          run,
        );
        this.#samples.add(`${row} ${guarantee}`, measured);
      }),
      async () => {
        const run = () => measureStreams(this.#full, rows[0]!, this.#choice.best, guarantee);
        const name = `${rows.join(' and ')}, ${guarantee}, ${of}: Kafka Streams`;
        this.#samples.add(guarantee, await this.#progress.step(name, PACE.peer(rows[0]!, records), run));
      },
    ]);
    for (const side of n % 2 === 0 ? sides : sides.reverse()) await side();
  }

  #rows(): readonly RowResult[] {
    const { rows, guarantees } = this.#group;
    return rows.flatMap((row) =>
      guarantees.map((guarantee) => {
        const engines = this.#samples.of(`${row} ${guarantee}`);
        const peers = this.#samples.of(guarantee);
        return {
          row,
          guarantee,
          ...spread(engines.map((engine, i) => peers[i]!.engineCpu / engine.engineCpu)),
          goal: KAFKA_ROWS[row]!.goal,
          pairs: this.#options.pairs,
          profile: this.#choice.best.name,
          engine: medianOf(engines),
          peer: medianOf(peers),
        };
      }),
    );
  }

  /** Both sides at the same rate: half of what the slower one reached. */
  async #withLatency(result: RowResult): Promise<RowResult> {
    const { latencySeconds: seconds, warmSeconds } = this.#options;
    if (seconds === 0) return result;
    const { row, guarantee, engine, peer } = result;
    const rate = Math.floor(Math.min(engine.recordsPerSecond, peer.recordsPerSecond) / 2);
    const series = this.#full;
    const measure = (who: string, start: Parameters<typeof measureLatency>[3]): Promise<Latency> =>
      this.#progress.step(`${row}, ${guarantee}: latency of ${who}`, PACE.latency(warmSeconds, seconds), () =>
        measureLatency(series, row, { rate, seconds, warmSeconds }, start),
      );
    const latency = {
      engine: await measure('the engine', (job) => startEngine(job, series, guarantee)),
      peer: await measure('Kafka Streams', (job) => startStreams(job, this.#choice.best, guarantee)),
    };
    return { ...result, latency };
  }

  #costs(): readonly Result[] {
    const { rows, guarantees } = this.#group;
    if (guarantees.length < 2) return [];
    return rows.map((row) => {
      const once = this.#samples.of(`${row} exactly-once`);
      const least = this.#samples.of(`${row} at-least-once`);
      return {
        row: 'exactly-once-cost' as const,
        of: row,
        ...spread(once.map((one, i) => one.engineCpu / least[i]!.engineCpu)),
        wall: spread(once.map((one, i) => least[i]!.recordsPerSecond / one.recordsPerSecond)),
        goal: COST_GOAL,
        pairs: this.#options.pairs,
        exactlyOnce: medianOf(once),
        atLeastOnce: medianOf(least),
      };
    });
  }

  /** The engine once more over all of the input, at an interval at which it commits as often as the peer, which took longer. */
  async #asManyCommits(): Promise<readonly Result[]> {
    const { rows, guarantees } = this.#group;
    const row = rows[0]!;
    const results: Result[] = [];
    for (const guarantee of guarantees) {
      const peers = this.#samples.of(guarantee);
      const peer = medianOf(peers);
      const { commits } = medianOf(this.#samples.of(`${row} ${guarantee}`));
      const intervalMs = Math.max(1, Math.floor((COMMIT_INTERVAL_MS * commits) / Math.max(1, peer.commits)));
      // a commit comes between slices, of which there have to be enough
      const sliceRecords = Math.max(1, Math.floor(this.#full.records / (SLICES_A_COMMIT * PARTITIONS * peer.commits)));
      const pace = { commitIntervalMs: intervalMs, sliceRecords };
      const run = () => measureEngine(this.#full, row, guarantee, pace);
      const engine = await this.#progress.step(
        `${row}, ${guarantee}: engine, a commit each ${intervalMs} ms`,
        PACE.engine(row, this.#full.records),
        run,
      );
      const ratios = spread(peers.map((each) => each.engineCpu / engine.engineCpu));
      const [{ goal }, profile, pairs] = [KAFKA_ROWS[row]!, this.#choice.best.name, peers.length];
      results.push({
        row: 'as-many-commits',
        of: row,
        guarantee,
        intervalMs,
        ...ratios,
        goal,
        pairs,
        profile,
        engine,
        peer,
      });
    }
    return results;
  }

  /** The peer with a small heap, on fewer records, against the engine's runs over all of them. */
  async #memory(): Promise<Result> {
    const { rows, guarantees } = this.#group;
    const row = rows[0]!;
    const guarantee = guarantees.at(-1)!;
    const { small, measured } = this.#choice;
    const run = () => measureStreams(this.#small, row, small, guarantee);
    const name = `${row}, ${guarantee}: memory of Kafka Streams, ${small.name}`;
    const peer = measured ?? (await this.#progress.step(name, PACE.peer(row, this.#small.records), run));
    const engines = this.#samples.of(`${row} ${guarantee}`);
    return {
      row: 'memory',
      of: row,
      ...spread(engines.map((engine) => peer.peakMb / engine.peakMb)),
      goal: MEMORY_GOAL,
      pairs: engines.length,
      profile: small.name,
      engine: medianOf(engines),
      peer,
    };
  }

  /** Other settings of the peer and other clients, on fewer records and once each. */
  async #beside(): Promise<readonly Result[]> {
    const { rows, guarantees } = this.#group;
    const row = rows[0]!;
    const guarantee = guarantees.at(-1)!;
    const small = this.#small;
    const results: Result[] = [];
    const engine = await this.#progress.step(`beside ${row}: engine`, PACE.engine(row, small.records), () =>
      measureEngine(small, row, guarantee),
    );
    const add = async (who: string, run: () => Promise<Measured>) => {
      const name = `beside ${row}: ${who}`;
      // one that fails takes nothing from the row
      const tried = this.#progress.step(name, PACE.peer(row, small.records), run).catch((thrown: unknown) => {
        this.#progress.say(`left out: ${who}: ${messageOf(thrown)}`);
      });
      const peer = await tried;
      if (peer === undefined) return;
      const ratio = peer.engineCpu / engine.engineCpu;
      results.push({ row: 'beside', of: row, who, ratio, low: ratio, high: ratio, goal: 0, pairs: 1, engine, peer });
    };
    for (const other of othersOf(row)) {
      await add(`Kafka Streams, ${other.name}`, () => measureStreams(small, row, other, guarantee));
    }
    const { neighbours } = this.#options;
    for (const client of row === 'pass' ? (neighbours?.there ?? []) : []) {
      await add(`a loop over ${client}, at least once`, () => measureNeighbour(small, neighbours!.folder, client));
    }
    return results;
  }
}

import { COUNTERS } from './rows.ts';
import type { Outcome } from './run-row.ts';

const HEAD = [
  'row',
  'fault',
  'repeats',
  'records',
  'L',
  'D',
  'O',
  'S',
  'foreign',
  'R p50',
  'R worst',
  'B',
  'pause',
  'gap',
  'alarm',
  's',
  'verdict',
];

/** The outcomes as a table in Markdown, and behind it what happened in each row, and what was wrong. */
export function reportOf(outcomes: readonly Outcome[]): string {
  const lines = [HEAD.join(' | '), HEAD.map(() => '---').join(' | ')];
  for (const outcome of outcomes) lines.push(rowOf(outcome).join(' | '));
  const counters = ['', ['row', ...COUNTERS].join(' | '), ['row', ...COUNTERS].map(() => '---').join(' | ')];
  for (const { row, counters: of } of outcomes) counters.push([row, ...COUNTERS.map((name) => of[name])].join(' | '));
  const problems = outcomes
    .filter((outcome) => outcome.problems.length > 0)
    .flatMap(({ row, seed, problems: all }) => ['', `Row ${row} (seed ${seed}):`, ...all.map((each) => `- ${each}`)]);
  return [...lines, ...counters, ...problems, ''].join('\n');
}

function rowOf(outcome: Outcome): readonly (string | number)[] {
  const { faults, recoveryMs } = outcome;
  const time = (ms: number | undefined) => (ms === undefined ? '-' : `${ms} ms`);
  return [
    outcome.row,
    outcome.title,
    outcome.repeats,
    outcome.records,
    faults.lost,
    faults.doubled,
    faults.inverted,
    faults.wrong,
    faults.foreign,
    time(recoveryMs?.p50),
    time(recoveryMs?.worst),
    time(outcome.stillMs),
    time(outcome.pauseMs === 0 ? undefined : outcome.pauseMs),
    time(outcome.gapMs),
    time(outcome.alarmMs),
    outcome.seconds,
    outcome.problems.length === 0 ? 'holds' : 'FAILS',
  ];
}

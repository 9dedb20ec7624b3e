import { FlowError } from '../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import type { GroupDescription, LogAdmin } from '../log/log.ts';
import type { Call } from './command.ts';
import { connectorStage } from './connector-stage.ts';
import { durationOf, momentOf } from './duration.ts';

/** Where positions of a group are to be set. */
export type Target = 'earliest' | 'latest' | { readonly since: Millis };

export interface Move extends TopicPartition {
  /** `null` where the group has none yet. */
  readonly from: Position | null;
  readonly to: Position;
  /** Positions between the two; those of markers count too. */
  readonly records: number;
  readonly effect: 'read again' | 'skipped' | 'none';
}

const TARGETS = ['to-earliest', 'to-latest', 'to-datetime', 'by-duration'] as const;

/** Which one of the options that set positions was given; `undefined` without any. Fails with `option.unknown`. */
export function targetOf(call: Call, now: Millis): Target | undefined {
  const given = TARGETS.filter((name) => call.option(name) !== undefined);
  if (given.length > 1) throw wrong(`--${given[0]} and --${given[1]} exclude one another; give one`);
  const [name] = given;
  if (name === undefined) return undefined;
  if (name === 'to-earliest') return 'earliest';
  if (name === 'to-latest') return 'latest';
  const written = call.option(name)!;
  if (name === 'by-duration') {
    const span = durationOf(written);
    if (span === undefined) throw wrong(`--by-duration takes a span such as 30min, 2h or 7d, not ${written}`);
    return { since: Math.max(0, now - span) };
  }
  const since = momentOf(written);
  if (since !== undefined) return { since };
  throw wrong(
    `--to-datetime takes a time with its zone, such as 2026-01-31T12:00:00Z, or milliseconds, not ${written}`,
  );
}

/** Every move of a group's positions in these topics; without topics, in all that it has positions in. */
export async function movesOf(
  admin: LogAdmin,
  group: GroupDescription,
  topics: readonly string[],
  target: Target,
): Promise<readonly Move[]> {
  const known = new Map(group.positions.map((row) => [partitionName(row.topic, row.partition), row.position]));
  const own = [...new Set(group.positions.map(({ topic }) => topic))].filter(
    (topic) => !topic.startsWith('nf.') && connectorStage(group.group, topic) === undefined,
  );
  const moves: Move[] = [];
  for (const topic of topics.length > 0 ? topics : own) {
    const found = await admin.describe(topic);
    if (found === undefined && topics.length === 0) continue;
    if (found === undefined) throw new FlowError('topic.missing', `there is no topic ${topic}; see nodeflow topics`);
    for (let partition = 0; partition < found.settings.partitions; partition++) {
      const from = known.get(partitionName(topic, partition)) ?? null;
      const { start, stable } = await admin.bounds(topic, partition);
      const to =
        target === 'earliest'
          ? start
          : target === 'latest'
            ? stable
            : await admin.positionSince(topic, partition, target.since);
      // A group without a position begins at the start.
      const at = Math.min(Math.max(from ?? start, start), stable);
      const effect = to < at ? 'read again' : to > at ? 'skipped' : 'none';
      moves.push({ topic, partition, from, to, records: Math.abs(at - to), effect });
    }
  }
  return moves;
}

/** The rows that bring a group there, with the texts that stood beside its positions. */
export function rowsOf(group: GroupDescription, moves: readonly Move[]): Parameters<LogAdmin['setPositions']>[1] {
  const texts = new Map(group.positions.map((row) => [partitionName(row.topic, row.partition), row.metadata]));
  return moves.map(({ topic, partition, to }) => ({
    ...{ topic, partition, position: to },
    metadata: texts.get(partitionName(topic, partition)) ?? '',
  }));
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `${text}; see nodeflow help reset`);
}

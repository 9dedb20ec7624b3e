import type { StreamJoinOptions } from '../../topology/topology.ts';
import type { OpTable, Statement, StreamMade, Text, TextStream } from './op.ts';
import { stream } from './ops-basic.ts';
import { joined, text } from './text-functions.ts';

/** Joins of streams with streams. */
export const OPS_JOINS: OpTable = {
  joinSS(statement, build) {
    const from = build.get('stream', statement.from);
    const other = build.get('stream', statement.with);
    const { before = 0, after = 0, grace = 0 } = statement.window!;
    const named = (side: 'left' | 'right') => (statement.name === undefined ? undefined : `${statement.name}-${side}`);
    const texts = (made: StreamMade, side: 'left' | 'right') =>
      build.settle(made, named(side)).mapValues(text) as TextStream;
    const options: Options = {
      name: build.name(statement),
      within: { before, after, grace },
      merge: joined,
      left: build.text,
      right: build.text,
    };
    const left = texts(from, 'left');
    const right = other.handle === from.handle ? left : texts(other, 'right');
    return stream(joinOf(statement, left, right, options), from.keys, false);
  },
};

type Options = StreamJoinOptions<Text, Text, typeof joined>;

function joinOf({ type }: Statement, left: TextStream, right: TextStream, options: Options): unknown {
  switch (type) {
    case 'inner':
      return left.joinStream(right, options);
    case 'left':
      return left.leftJoinStream(right, options);
    case 'outer':
      return left.outerJoinStream(right, options);
    default:
      throw new Error(`unknown kind of join: ${type}`);
  }
}

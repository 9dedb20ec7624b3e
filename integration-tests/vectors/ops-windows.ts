import { sessionWindowed, windowed } from '../../schemas/schemas.ts';
import {
  hopping,
  type Merging,
  session,
  sliding,
  tumbling,
  unlimited,
  type WindowedGroup,
  type Windows,
} from '../../topology/topology.ts';
import type { Build, Keys, Made, OpTable, Statement, Text, TextGroup, WindowStatement } from './op.ts';
import { aggregated, table } from './ops-basic.ts';

/** Aggregates over windows of all kinds, with updates and with final results alone. */
export const OPS_WINDOWS: OpTable = {
  aggregate(statement, build) {
    const from = build.find('group', statement.from);
    if (from === undefined || statement.window === undefined) return undefined;
    const group = from.group(build.name(statement)).window(windowsOf(statement.window));
    return windowedAggregate(statement, build, group, keysOf(statement.window, from.keys));
  },
};

function windowedAggregate(
  statement: Statement,
  build: Build,
  group: WindowedGroup<string, Text, 1, Merging>,
  keys: Keys,
): Made {
  const { retention } = statement;
  const options = {
    ...(retention === undefined ? {} : { retention }),
    ...(statement.kind === 'aggregate' && statement.window!.type === 'session' ? { merge } : {}),
  };
  const windows = statement.emit === 'close' ? group.emitOnClose() : group;
  return table(aggregated(windows as unknown as TextGroup, statement, build, options), keys);
}

const merge = (a: Text, b: Text): Text => `${a}&${b}`;

function windowsOf(statement: WindowStatement): Windows<unknown, unknown, Merging> {
  const { type, grace = 0 } = statement;
  switch (type) {
    case 'tumbling':
      return tumbling(statement.size!, { grace });
    case 'hopping':
      return hopping(statement.size!, { advance: statement.advance!, grace });
    case 'sliding':
      return sliding({ difference: statement.diff!, grace });
    case 'session':
      return session({ gap: statement.gap!, grace });
    case 'unlimited':
      return unlimited({ start: statement.start ?? 0 });
    default:
      throw new Error(`unknown windows: ${type}`);
  }
}

function keysOf(window: WindowStatement, { serde }: Keys): Keys {
  switch (window.type) {
    case 'sliding':
      return { serde: windowed(serde, window.diff!), windows: 'sliding' };
    case 'session':
      return { serde: sessionWindowed(serde), windows: 'session' };
    case 'unlimited':
      return { serde: windowed(serde, Number.POSITIVE_INFINITY), windows: 'unlimited' };
    default:
      return { serde: windowed(serde, window.size!), windows: 'time' };
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepEvent } from '../../events/events.ts';
import type { Decided, Effect, Lifecycle, LifecycleParts, Rows } from './lifecycle.ts';
import { keyOf } from './row.ts';
import { checkWorld, LogChecker } from './testing/check-log.ts';
import { checkEnds, checkSavepoints, checkStarted } from './testing/check-streams.ts';
import { graphOf, withSegments } from './testing/random-graph.fixture.ts';
import { World } from './testing/world.ts';

/** Mistakes that were planted, each of which the properties must see. */
interface Bug {
  readonly name: string;
  /** Seen in streaming executions. */
  readonly streaming?: true;
  readonly tap?: NonNullable<LifecycleParts['tap']>;
  readonly bend?: (lifecycle: Lifecycle) => Lifecycle;
}

const SEEDS = 400;

function bendDecide(bend: (decided: Decided) => Decided): (lifecycle: Lifecycle) => Lifecycle {
  return (lifecycle) => ({ ...lifecycle, decide: (...args) => bend(lifecycle.decide(...args)) });
}

const BUGS: readonly Bug[] = [
  {
    name: 'a node that is skipped does not tell its edges',
    tap: (event) => (event.type === 'delivered' && event.taken.length === 0 ? undefined : event),
  },
  {
    name: 'an edge that is not taken counts as taken',
    tap: (event) =>
      event.type === 'delivered' ? { ...event, taken: [...event.taken, ...event.skipped], skipped: [] } : event,
  },
  {
    name: 'the report of an earlier attempt is taken for the one that runs',
    bend: (lifecycle) => ({
      ...lifecycle,
      decide(rows, graph, execution, command, envelope) {
        if (command.type !== 'report') return lifecycle.decide(rows, graph, execution, command, envelope);
        const attempt = rows.node(keyOf(command.node, command.iteration))?.attempt ?? command.attempt;
        return lifecycle.decide(rows, graph, execution, { ...command, attempt }, envelope);
      },
    }),
  },
  {
    name: 'failures are not counted against the policy',
    tap: (event) =>
      event.type === 'attempt-failed' ? { ...event, decision: 'retry', retryAt: event.retryAt ?? 0 } : event,
  },
  {
    name: 'a value is put out, and not logged',
    tap: (event) => (event.type === 'output' ? undefined : event),
  },
  {
    name: 'a timer that fires stays set',
    tap: (event) => (event.type === 'timer-cleared' ? undefined : event),
  },
  {
    name: 'what a step leaves over is forgotten by the next',
    tap: (event) => (event.type === 'deferred' && event.nodes.length > 0 ? undefined : event),
  },
  {
    name: 'a step has a time in its effects that no event tells',
    bend: (lifecycle) => ({
      ...lifecycle,
      decide(rows, graph, execution, command, envelope) {
        const decided = lifecycle.decide(rows, graph, execution, command, envelope);
        const header = rows.header();
        if (command.type === 'grant' && header !== undefined) rows.putHeader({ ...header, startedAt: envelope.at + 1 });
        return decided;
      },
    }),
  },
  {
    name: 'the end of an iteration is not told to its container',
    tap: (event) => (event.type === 'iteration' && event.to === 'ended' ? undefined : event),
  },
  {
    name: 'a command that comes twice is done twice',
    bend: (lifecycle) => ({
      ...lifecycle,
      decide(rows, graph, execution, command, envelope) {
        const header = rows.header();
        if (header !== undefined) rows.putHeader({ ...header, lastCommands: [] });
        return lifecycle.decide(rows, graph, execution, command, envelope);
      },
    }),
  },
  {
    name: 'a rejected report is answered by silence',
    bend: bendDecide((decided) =>
      decided.record?.events[0]?.type === 'rejected' ? { ...decided, record: undefined } : decided,
    ),
  },
  {
    name: 'a cancelled execution goes on',
    tap: (event) => (event.type === 'cancelling' ? undefined : event),
  },
  {
    name: 'inner nodes run on though their segment is tried again',
    tap: (event, rows) => (isOfInner(event, rows) && event.to === 'PENDING' ? undefined : event),
  },
  {
    name: 'inner nodes are left running when their segment has ended',
    tap: (event, rows) => (isOfInner(event, rows) && event.cause === 'upstream-failed' ? undefined : event),
  },
  {
    name: 'the number of a step is not counted up',
    bend: bendDecide((decided) =>
      decided.record === undefined ? decided : { ...decided, record: { ...decided.record, seq: 1 } },
    ),
  },
  {
    name: 'a slot is granted to a task twice',
    bend: bendDecide((decided) => ({ ...decided, effects: decided.effects.map(asGrantedTwice) })),
  },
  {
    name: 'what was started for records is left when its node ends',
    bend: bendDecide((decided) => ({
      ...decided,
      effects: decided.effects.filter(({ effect }) => effect !== 'tell-started'),
    })),
  },
  {
    name: 'a segment that begins behind an end is not told',
    streaming: true,
    bend: bendDecide((decided) => ({
      ...decided,
      effects: decided.effects.map((each) => (each.effect === 'run' ? { ...each, ending: false } : each)),
    })),
  },
  {
    name: 'what goes on from a savepoint starts twice',
    streaming: true,
    bend: bendDecide((decided) => ({ ...decided, effects: decided.effects.flatMap(asGoingOnTwice) })),
  },
  {
    name: 'what goes on from a savepoint has nothing of before',
    streaming: true,
    bend: bendDecide((decided) => ({
      ...decided,
      effects: decided.effects.map((each) =>
        each.effect === 'send' && each.command.type === 'start'
          ? { ...each, command: { ...each.command, outputs: {} } }
          : each,
      ),
    })),
  },
];

function asGoingOnTwice(effect: Effect): readonly Effect[] {
  return effect.effect === 'send' && effect.command.type === 'start' ? [effect, effect] : [effect];
}

function isOfInner(event: StepEvent, rows: Rows): event is Extract<StepEvent, { readonly type: 'node' }> {
  return event.type === 'node' && rows.node(keyOf(event.node, event.iteration))?.wait?.on === 'segment';
}

function asGrantedTwice<T extends { readonly effect: string }>(effect: T): T {
  return effect.effect === 'queue'
    ? { ...effect, effect: 'run', mode: 'realtime', inputs: {}, config: null, resume: null }
    : effect;
}

/** The first seed that shows it. */
function seenAt(bug: Bug): number | undefined {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { tap, bend } = bug;
    const faults = { faults: 0.25, duplicates: 0.3, crashes: 0.1, people: 0.1 };
    const spec = graphOf({ seed, nodes: 1 + (seed % 8) });
    const world = new World(bug.streaming ? withSegments(spec, seed) : spec, {
      ...{ seed, ...faults },
      ...(bug.streaming ? { start: { mode: 'streaming' } as const } : {}),
      ...(tap === undefined ? {} : { tap: (event: StepEvent, rows) => tap(event, rows) }),
      ...(bend === undefined ? {} : { bend }),
    });
    try {
      world.run();
      new LogChecker(world.graph).check(world.records);
      checkWorld(world);
      checkStarted(world);
      if (bug.streaming) {
        checkEnds(world);
        checkSavepoints(world);
      }
    } catch {
      return seed;
    }
  }
  return undefined;
}

test('without a mistake nothing is seen', () => {
  assert.equal(seenAt({ name: 'none' }), undefined);
  assert.equal(seenAt({ name: 'none', streaming: true }), undefined);
});

for (const bug of BUGS) {
  test(`it is seen when ${bug.name}`, () => {
    assert.notEqual(seenAt(bug), undefined);
  });
}

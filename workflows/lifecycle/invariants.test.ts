import { test } from 'node:test';
import * as fc from 'fast-check';
import { randomInt, seededRandom } from '../../core/random.ts';
import { checkWorld, LogChecker } from './testing/check-log.ts';
import { checkEnds, checkSavepoints, checkStarted } from './testing/check-streams.ts';
import { graphOf, type Recipe, withSegments } from './testing/random-graph.fixture.ts';
import { World, type WorldOptions } from './testing/world.ts';

/** More of them: NODEFLOW_SEEDS=100000. */
const RUNS = Number(process.env['NODEFLOW_SEEDS'] ?? 1500);

const recipes: fc.Arbitrary<Recipe> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  nodes: fc.integer({ min: 1, max: 9 }),
});

function holds(options: Omit<WorldOptions, 'seed'>, runs = RUNS): void {
  fc.assert(
    fc.property(recipes, fc.integer({ min: 1, max: 2 ** 31 }), (recipe, seed) => {
      const world = new World(graphOf(recipe), { ...options, seed });
      world.run();
      new LogChecker(world.graph).check(world.records);
      checkWorld(world);
      checkStarted(world);
    }),
    { numRuns: runs, seed: 7 },
  );
}

test('C.7 1-4, 7-12: executions of random graphs that nobody disturbs', () => holds({ faults: 0 }));
test('C.7 1-4, 7-12: with failures', () => holds({ faults: 0.25 }));
test('C.7 1-4, 7-12: with failures, duplicates and crashes', () =>
  holds({ faults: 0.25, duplicates: 0.3, crashes: 0.2 }));
test('C.7 1-4, 7-12: with a crash at every step boundary', () =>
  holds({ faults: 0.25, duplicates: 0.2, people: 0.05, crashes: 1 }));
test('C.7 1-4, 7-12: with people who interfere', () => {
  holds({ faults: 0.25, duplicates: 0.2, crashes: 0.1, people: 0.1 }, RUNS * 2);
});

test('C.7 1-4, 7-12: streaming executions, which end when they are told to', () => {
  fc.assert(
    fc.property(recipes, fc.integer({ min: 1, max: 2 ** 31 }), (recipe, seed) => {
      const spec = withSegments(graphOf(recipe), seed);
      const start = { mode: 'streaming' } as const;
      const world = new World(spec, { seed, start, faults: 0.2, duplicates: 0.2, crashes: 0.1, people: 0.1 });
      world.run();
      new LogChecker(world.graph).check(world.records);
      checkWorld(world);
      checkStarted(world);
      checkEnds(world);
      checkSavepoints(world);
    }),
    { numRuns: RUNS, seed: 7 },
  );
});

test('C.7 1-4, 7-12: partial executions, pins and deadlines', () => {
  fc.assert(
    fc.property(recipes, fc.integer({ min: 1, max: 2 ** 31 }), (recipe, seed) => {
      const spec = graphOf(recipe);
      const random = seededRandom(seed);
      const undoing = new Set(spec.nodes.map(({ compensation }) => compensation));
      const top = spec.nodes.filter(({ id, parent }) => parent === undefined && !undoing.has(id)).map(({ id }) => id);
      const oneOf = () => top[randomInt(random, top.length)]!;
      const closure = (['ancestors', 'descendants', 'none'] as const)[randomInt(random, 3)]!;
      const start = {
        select: random.next() < 0.6 ? { nodes: [oneOf()], closure } : null,
        pins: random.next() < 0.5 ? { [oneOf()]: 'pinned' } : null,
        deadline: random.next() < 0.4 ? 1_000_000 + randomInt(random, 20_000) : null,
      };
      const world = new World(spec, { seed, start, faults: 0.2, duplicates: 0.2, crashes: 0.1, people: 0.03 });
      world.run();
      new LogChecker(world.graph).check(world.records);
      checkWorld(world);
      checkStarted(world);
    }),
    { numRuns: RUNS, seed: 7 },
  );
});

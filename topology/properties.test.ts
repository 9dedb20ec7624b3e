import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Plan } from './plan.ts';
import { randomTopology } from './random-topology.testing.ts';
import { describe, planHash, splitStages, validatePlan } from './topology.ts';

const seeds = fc.nat(100_000);
const RUNS = { seed: 20260101, numRuns: 300 };
const planOf = (seed: number): Plan => randomTopology(seed, 12).topology.build().plan;

test('random topologies build, and build alike twice', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const [one, two] = [planOf(seed), planOf(seed)];
      assert.equal(JSON.stringify(one), JSON.stringify(two));
      assert.equal(planHash(one), planHash(two));
    }),
    RUNS,
  );
});

test('a plan that went through JSON is the same plan', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const plan = planOf(seed);
      const copy = JSON.parse(JSON.stringify(plan)) as Plan;
      assert.deepEqual(copy, plan);
      assert.deepEqual(validatePlan(copy), []);
      assert.equal(planHash(copy), planHash(plan));
      for (const format of ['text', 'mermaid', 'dot'] as const)
        assert.equal(describe(copy, format), describe(plan, format));
    }),
    RUNS,
  );
});

test('stages hold every node once, stores and inner edges never cross them, ids are apart', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const plan = planOf(seed);
      const home = new Map(plan.stages.flatMap((stage) => stage.nodes.map((id) => [id, stage.id] as const)));
      const members = plan.stages.flatMap((stage) => stage.nodes);
      assert.deepEqual([...members].sort(), plan.nodes.map((node) => node.id).sort());
      assert.equal(new Set(plan.stages.map((stage) => stage.id)).size, plan.stages.length);
      for (const store of plan.stores) assert.equal(new Set(store.nodes.map((id) => home.get(id))).size, 1);
      const kinds = new Map(plan.nodes.map((node) => [node.id, node.kind]));
      for (const node of plan.nodes) {
        for (const input of node.inputs) {
          if (kinds.get(input) !== 'repartition') assert.equal(home.get(input), home.get(node.id));
        }
      }
    }),
    RUNS,
  );
});

test('stages are connected: their nodes hang together by edges, topics read in common, and stores', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const plan = planOf(seed);
      for (const stage of plan.stages) {
        // Alone in a plan, a stage is still one stage.
        const inside = new Set(stage.nodes);
        const outer = new Set(plan.nodes.filter((node) => inside.has(node.id)).flatMap((node) => node.inputs));
        const nodes = plan.nodes.filter(
          (node) => inside.has(node.id) || (outer.has(node.id) && node.kind === 'repartition'),
        );
        const stores = plan.stores.filter((store) => store.nodes.some((id) => inside.has(id)));
        const again = splitStages({ nodes, topics: plan.topics, stores });
        const found = again.find((each) => each.nodes.includes(stage.nodes[0]!));
        assert.deepEqual(found, stage);
      }
    }),
    RUNS,
  );
});

/** Ways to break a plan, each of which the validator must tell of. */
const BREAKS: { readonly [name: string]: (plan: Plan, at: number) => Plan } = {
  'a node lost': (plan, at) => ({ ...plan, nodes: plan.nodes.filter((_, index) => index !== at % plan.nodes.length) }),
  'a node twice': (plan, at) => ({ ...plan, nodes: [...plan.nodes, plan.nodes[at % plan.nodes.length]!] }),
  'a topic lost': (plan, at) => ({
    ...plan,
    topics: plan.topics.filter((_, index) => index !== at % plan.topics.length),
  }),
  'a stage lost': (plan, at) => ({
    ...plan,
    stages: plan.stages.filter((_, index) => index !== at % plan.stages.length),
  }),
};

for (const [name, damage] of Object.entries(BREAKS)) {
  test(`a broken plan is told of: ${name}`, () => {
    fc.assert(
      fc.property(seeds, fc.nat(1000), (seed, at) => {
        assert.notDeepEqual(validatePlan(damage(planOf(seed), at)), []);
      }),
      RUNS,
    );
  });
}

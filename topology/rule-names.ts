import { fault, type PlanFault } from './faults.ts';
import type { Plan } from './plan.ts';

const CHARACTERS = /^[a-zA-Z0-9._-]+$/;
const ID = /^[a-zA-Z0-9._:-]+$/;
const ID_CURE = 'may hold only letters, digits, ".", "_", "-" and ":"; rename it';
/** Room for `nf.<application>.<name>.repartition` within the 249 characters that a topic may have. */
const MAX_NAME = 100;
const MAX_TOPIC = 249;
const RESERVED = 'nf.';
/** Programs of the engine itself: their topics have names that it keeps from users. */
const ENGINE_PROGRAMS: readonly string[] = ['nf.workflows'];

/** Kinds whose id is the only place where the user's name stands. */
const NAMED: readonly string[] = [
  'read',
  'process',
  'joinTable',
  'joinTables',
  'joinForeign',
  'joinGlobal',
  'joinStreams',
  'mapAsync',
  'lookup',
];

/** A plan that the engine brings along: it may use the engine's topics, and lead its records back to itself. */
export function isEngineProgram({ name }: Pick<Plan, 'name'>): boolean {
  return ENGINE_PROGRAMS.includes(name);
}

/** Names become topics, folders and metrics, so they are held to what all of these can bear. */
export function nameFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const check = (what: string, name: string, node: string | null, most = MAX_NAME) => {
    const wrong = nameProblem(isEngineProgram(plan) ? name.replace(RESERVED, '') : name, most);
    if (wrong !== undefined) found.push(fault('name', node, `${what} ${JSON.stringify(name)} ${wrong}`));
  };
  check('the application name', plan.name, null);
  for (const topic of plan.topics) {
    const internal = `${RESERVED}${plan.name}.`;
    if (!topic.internal) check('the topic name', topic.name, null, MAX_TOPIC);
    else if (!topic.name.startsWith(internal)) {
      found.push(fault('name', null, `the internal topic ${topic.name} must begin with ${internal}`));
    } else check('the repartition name', topic.name.slice(internal.length).replace(/\.repartition$/, ''), null);
  }
  for (const store of plan.stores) check('the store name', store.name, store.nodes[0] ?? null);
  for (const node of plan.nodes) {
    if (NAMED.includes(node.kind)) {
      check(`the name of a ${node.kind}`, node.id.split(':').slice(1).join(':').replace(/:\d+$/, ''), node.id);
    }
    if (node.kind === 'branch') {
      for (const arm of node.arms) {
        check('the branch name', arm.name, node.id);
        if (/^\d+$/.test(arm.name)) {
          const message = `the branch name ${arm.name} is a bare number, and such names lose their order; begin it with a letter`;
          found.push(fault('name', node.id, message));
        }
      }
    }
  }
  // Other ids are made of the names above: only a plan that no handle wrote can have a wrong one by itself.
  const odd = found.length > 0 ? [] : plan.nodes.filter((node) => !ID.test(node.id));
  return [...found, ...odd.map((node) => fault('name', node.id, `the node id ${JSON.stringify(node.id)} ${ID_CURE}`))];
}

function nameProblem(name: string, most: number): string | undefined {
  if (name === '') return 'is empty; give it a name';
  if (name.length > most) return `has ${name.length} characters; use at most ${most}`;
  if (!CHARACTERS.test(name)) return 'may hold only letters, digits, ".", "_" and "-"; rename it';
  if (name === '.' || name === '..') return 'is not a name; rename it';
  if (name.startsWith(RESERVED)) return `begins with ${RESERVED}, which the engine keeps for itself; rename it`;
  return undefined;
}

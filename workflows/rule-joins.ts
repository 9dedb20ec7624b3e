import type { Judged, JudgedNode } from './judged.ts';

/** Inputs that must come, joins that can hold, failures that lead somewhere. */
export function judgeJoins(judged: Judged): void {
  for (const one of judged.nodes) {
    judgeInputs(one, judged);
    judgeJoin(one, judged);
    const { node, policy, outgoing, index } = one;
    if (policy.onError === 'route' && !outgoing.some(({ ends }) => ends?.kind === 'error')) {
      const message = `failures of ${node.id} go to its port error, from which no edge leads`;
      const cure = 'Draw an edge from error, or choose another onError.';
      judged.faults.add('workflow.error-not-wired', ['nodes', index, 'data', 'policy', 'onError'], message, cure);
    }
  }
}

function judgeInputs({ index, node, ports, incoming }: JudgedNode, { faults }: Judged): void {
  // who is at the wrong port is told that, and no more
  const open = incoming.some(({ ends }) => ends?.targetPort === undefined);
  for (const [name, port] of Object.entries(ports?.inputs ?? {})) {
    if (port.optional === true || port.default !== undefined || open) continue;
    // who has no edges is given what its execution or container was given
    if (name === 'in' && incoming.length === 0) continue;
    if (incoming.some(({ ends }) => ends!.targetPort === name && ends!.kind !== 'control')) continue;
    const message = `nothing arrives at the input ${name} of ${node.id}`;
    faults.add('workflow.missing-input', ['nodes', index], message, `Draw an edge to ${name}.`);
  }
}

function judgeJoin({ index, node, policy, incoming }: JudgedNode, { faults }: Judged): void {
  const own = node.data?.policy?.join;
  if (own === undefined || typeof policy.join !== 'object' || !('atLeast' in policy.join)) return;
  const { atLeast } = policy.join;
  if (atLeast <= incoming.length) return;
  const message = `${node.id} waits for ${atLeast} edges, and ${incoming.length} lead there`;
  faults.add(
    'workflow.join',
    ['nodes', index, 'data', 'policy', 'join'],
    message,
    'Ask for fewer, or draw more edges.',
  );
}

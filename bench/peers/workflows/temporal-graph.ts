import { proxyLocalActivities } from '@temporalio/workflow';

/** The graph of `peer.ts`, in a file without other imports, since Temporal bundles it for its sandbox. */
const { node } = proxyLocalActivities<{ node(name: string, ...inputs: number[]): Promise<number> }>({
  startToCloseTimeout: '1 minute',
});

export async function ten(input: number): Promise<number> {
  const a = await node('a', input);
  const b = await Promise.all([node('b1', a), node('b2', a), node('b3', a), node('b4', a)]);
  const c = await node('c', ...b);
  const d = await Promise.all([node('d1', c), node('d2', c), node('d3', c)]);
  return node('e', ...d);
}

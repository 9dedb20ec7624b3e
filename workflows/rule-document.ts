import { scheduleFaults } from '../scheduler/scheduler.ts';
import type { Judged } from './judged.ts';
import { judgeSpans } from './rule-levels.ts';

export const MAX_NODES = 10_000;
export const MAX_EDGES = 50_000;

/** What is said of the document as a whole. */
export function judgeDocument(judged: Judged): void {
  const { sound, faults, find, nodes, edges } = judged;
  for (const [name, list, most] of [
    ['nodes', nodes, MAX_NODES],
    ['edges', edges, MAX_EDGES],
  ] as const) {
    if (list.length <= most) continue;
    const message = `there are ${list.length} ${name}, at most ${most} may be`;
    faults.add(
      'workflow.too-large',
      [name],
      message,
      'Split the workflow into several, joined by nodes of type workflow.',
    );
  }
  judgeSpans(sound.document.policy, ['policy'], faults);
  for (const { index, node } of nodes) judgeSpans(node.data?.policy, ['nodes', index, 'data', 'policy'], faults);
  for (const id of Object.keys(sound.document.pins ?? {})) {
    if (find(id) === undefined) {
      faults.add('workflow.unknown-node', ['pins', id], `a pin names ${id}, which is not there`, 'Remove it.');
    }
  }
  for (const [index, trigger] of (sound.document.triggers ?? []).entries()) {
    if (trigger?.type === 'schedule') judgeSchedule(trigger.config ?? {}, index, judged);
  }
}

function judgeSchedule(config: { readonly [name: string]: unknown }, index: number, { faults }: Judged): void {
  const { cron, timeZone } = config;
  const path = ['triggers', index, 'config'];
  if (typeof cron !== 'string') {
    faults.add(
      'workflow.schedule',
      path,
      'a schedule has no cron text',
      'Add cron, such as "30 2 * * 1-5", or @daily.',
    );
    return;
  }
  if (timeZone !== undefined && typeof timeZone !== 'string') {
    faults.add(
      'workflow.schedule',
      [...path, 'timeZone'],
      'a time zone is text',
      'Give an IANA name such as Europe/Berlin.',
    );
    return;
  }
  for (const text of scheduleFaults({ cron, ...(timeZone === undefined ? {} : { timeZone }) })) {
    const [message = text, cure] = text.split(/; (?=give|write)/);
    faults.add(
      'workflow.schedule',
      path,
      message,
      cure === undefined ? 'Correct it.' : `${cure[0]!.toUpperCase()}${cure.slice(1)}.`,
    );
  }
}

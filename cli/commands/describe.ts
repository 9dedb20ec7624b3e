import { FlowError } from '../../core/errors.ts';
import { describe as describePlan } from '../../topology/topology.ts';
import type { Command } from '../command.ts';
import { loadTopology, NAME_OPTION } from '../program.ts';

const FORMATS = ['text', 'mermaid', 'dot', 'json'] as const;

export const describe: Command = {
  name: 'describe',
  parameters: '<file>',
  about: 'Shows the topology that a module exports: stages, topics, stores.',
  words: { min: 1, max: 1 },
  options: { ...NAME_OPTION, format: { value: 'text|mermaid|dot|json', about: 'How it is shown; default text.' } },
  async run(call, world) {
    const written = call.option('format') ?? (call.json ? 'json' : 'text');
    const format = FORMATS.find((one) => one === written);
    if (format === undefined) {
      throw new FlowError('option.unknown', `--format takes ${FORMATS.join(', ')}, not ${written}`);
    }
    const { plan } = await loadTopology(call.words[0]!, call, world);
    const shown =
      format === 'json' ? JSON.stringify(plan, null, call.json ? undefined : 2) : describePlan(plan, format);
    world.out(shown.trimEnd());
    return 0;
  },
};

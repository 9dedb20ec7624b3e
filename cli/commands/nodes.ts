import { FlowError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { NodeType } from '../../workflows/catalog.ts';
import { createLanguage, nodeTypeLines } from '../../workflows/workflows.ts';
import { columnsOf } from '../columns.ts';
import type { Command } from '../command.ts';

export const nodes: Command = {
  name: 'nodes',
  parameters: '[type]',
  about: 'Lists the types of nodes that workflow documents may have, or tells all about one, with an example.',
  words: { min: 0, max: 1 },
  options: {},
  async run(call, world) {
    const { catalog } = createLanguage();
    const [name] = call.words;
    if (name === undefined) {
      if (call.json) world.out(JSON.stringify(catalog.types.map(plain)));
      else {
        const rows = catalog.types.map(({ name: type, title, behaviour }) => ({ type, runs: behaviour.kind, title }));
        for (const line of columnsOf(['type', 'runs', 'title'], rows)) world.out(line);
      }
      return 0;
    }
    const type = catalog.find(name);
    if (type === undefined) {
      const known = catalog.types.map((each) => each.name);
      throw new FlowError(
        'option.unknown',
        `there is no type of node ${name}${didYouMean(name, known)}; see nodeflow nodes`,
      );
    }
    if (call.json) world.out(JSON.stringify(plain(type)));
    else for (const line of nodeTypeLines(type)) world.out(line);
    return 0;
  },
};

/** A type without its code. */
function plain({
  name,
  version,
  title,
  description,
  inputs,
  outputs,
  config,
  policy,
  behaviour,
  example,
}: NodeType): object {
  return { name, version, title, description, runs: behaviour.kind, inputs, outputs, config, policy, example };
}

import { resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Command } from '../command.ts';
import { generateSchemas } from '../generate-schemas.ts';

export const schemas: Command = {
  name: 'schemas',
  parameters: 'generate <folder>',
  about: 'Writes a TypeScript module beside each Avro schema (.avsc) of a folder and those within it.',
  words: { min: 2, max: 2 },
  options: { check: { about: 'Writes nothing; fails where a module is not what its schema gives.' } },
  async run(call, world) {
    const [action, folder] = call.words as [string, string];
    if (action !== 'generate') {
      throw new FlowError('option.unknown', `schemas takes generate, not ${action}; see nodeflow help schemas`);
    }
    const check = call.option('check') !== undefined;
    const { files, changed } = generateSchemas(resolve(world.cwd, folder), { check });
    if (check && changed.length > 0) {
      throw new FlowError(
        'schema.drift',
        `${changed.length} of ${files.length} modules are not what their schemas give: ${changed.join(', ')}; run nodeflow schemas generate ${folder}`,
      );
    }
    if (call.json) world.out(JSON.stringify({ files, changed }));
    else world.out(`${files.length} schemas, ${changed.length} modules ${check ? 'differ' : 'written'}`);
    return 0;
  },
};

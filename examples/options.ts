import { parseArgs } from 'node:util';
import { FlowError } from '../index.ts';

/** The options of the examples' programs. */
export interface Options {
  /** Results as JSON lines on standard output. */
  readonly json: boolean;
  /** The folder of the log and of the local stores. */
  readonly data: string;
  readonly help: boolean;
}

export const OPTIONS_HELP = [
  '  --json           Results as JSON lines on standard output; everything else stays on standard error.',
  '  --data <folder>  Where topics and stores lie. A run that was cut short continues there.',
  '  --verbose        Errors with their stack.',
  '  --help           This text.',
];

const KNOWN = ['--json', '--data <folder>', '--verbose', '--help'].join(', ');

/** Reads what stands behind the program's name. Fails with `option.unknown`. */
export function readOptions(args: readonly string[], defaultFolder: string): Options {
  const { values, tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      data: { type: 'string' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  for (const token of tokens) {
    if (token.kind === 'positional') throw wrong(`unexpected word ${token.value}`);
    if (token.kind !== 'option') continue;
    if (!['json', 'data', 'verbose', 'help'].includes(token.name)) throw wrong(`unknown option ${token.rawName}`);
    if (token.name === 'data' && !token.value) throw wrong('--data needs a value: <folder>');
    if (token.name !== 'data' && token.value !== undefined) throw wrong(`${token.rawName} takes no value`);
  }
  const { json, data, help } = values;
  return { json: json === true, data: typeof data === 'string' ? data : defaultFolder, help: help === true };
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `${text}; there are ${KNOWN}`);
}

import { FlowError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { registerSecretsOf } from '../telemetry/telemetry.ts';
import { COMMANDS } from './commands/table.ts';
import { exitCodeOf } from './exit-codes.ts';
import { helpOfAll, helpOfOne } from './help.ts';
import { parseCall } from './parse.ts';
import { reportFailure } from './run-main.ts';
import type { World } from './world.ts';

/**
 * The command line: words in, exit code out. Results go to standard output, everything else to standard error; an
 * error is one message that names the thing and the cure, with a stack only where `--verbose` asks for it.
 */
export async function runCommandLine(args: readonly string[], world: World): Promise<number> {
  registerSecretsOf(world.env);
  try {
    return await dispatch(args, world);
  } catch (thrown) {
    reportFailure(thrown, world, { json: args.includes('--json'), verbose: args.includes('--verbose') });
    return exitCodeOf(thrown);
  }
}

async function dispatch(args: readonly string[], world: World): Promise<number> {
  const [first = 'help', ...rest] = args;
  const name = first === '--help' || first === '-h' ? 'help' : first === '--version' ? 'version' : first;
  if (name === 'help') {
    const about = COMMANDS.find((command) => command.name === rest[0]);
    if (rest[0] !== undefined && about === undefined) throw unknownCommand(rest[0]);
    for (const line of about === undefined ? helpOfAll(COMMANDS) : helpOfOne(about)) world.out(line);
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw unknownCommand(name);
  const call = parseCall(command, rest, world);
  if (call.help) {
    for (const line of helpOfOne(command)) world.out(line);
    return 0;
  }
  return command.run(call, world);
}

function unknownCommand(name: string): FlowError {
  const names = [...COMMANDS.map((command) => command.name), 'help'];
  return new FlowError('option.unknown', `unknown command ${name}${didYouMean(name, names)}; see nodeflow help`);
}

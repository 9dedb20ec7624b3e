import { COMMON_OPTIONS, type Command } from './command.ts';

/** What follows a command is left to its own help where it is longer. */
const LONGEST_USAGE = 32;

export function helpOfAll(commands: readonly Command[]): readonly string[] {
  const brief = (command: Command) => (usage(command).length > LONGEST_USAGE ? `${command.name} ...` : usage(command));
  const width = Math.max(...commands.map((command) => brief(command).length));
  return [
    'nodeflow: stream processing from the command line',
    '',
    'Commands:',
    ...commands.map((command) => `  ${brief(command).padEnd(width)}  ${command.about}`),
    `  ${'help [command]'.padEnd(width)}  Tells about a command.`,
    '',
    'Options of every command:',
    ...optionLines(COMMON_OPTIONS),
    '',
    'Exit codes: 0 done, 1 the job failed, 2 wrong command, configuration, file or topology, 3 try again.',
  ];
}

export function helpOfOne(command: Command): readonly string[] {
  const own = optionLines(command.options);
  return [
    `nodeflow ${usage(command)} [options]`,
    '',
    command.about,
    '',
    ...(own.length === 0 ? [] : ['Options:', ...own, '']),
    'Options of every command:',
    ...optionLines(COMMON_OPTIONS),
  ];
}

function usage(command: Command): string {
  return `${command.name} ${command.parameters}`.trim();
}

function optionLines(options: Command['options']): readonly string[] {
  const rows = Object.entries(options).map(([name, { value, about }]) => ({
    left: value === undefined ? `--${name}` : `--${name} <${value}>`,
    about,
  }));
  const width = Math.max(0, ...rows.map(({ left }) => left.length));
  return rows.map(({ left, about }) => `  ${left.padEnd(width)}  ${about}`);
}

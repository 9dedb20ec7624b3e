import { readFileSync } from 'node:fs';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { messageOf } from '../../core/errors.ts';

/**
 * The options of a command of this repository. With `--help` it prints the comment at the head of the command's file, which
 * is the help, with the names of all options, and ends the process; for what is no option it says so too, and ends it
 * with 2. A switch is taken back by `--no-<name>`.
 */
export function commandOptions<const T extends ParseArgsOptionsConfig>(
  file: string,
  options: T,
  args: readonly string[] = process.argv.slice(2),
) {
  if (args.includes('--help')) {
    process.stdout.write(helpOf(file, options));
    process.exit(0);
  }
  try {
    return parseArgs({ args: [...args], options, allowNegative: true, strict: true }).values;
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n\n${helpOf(file, options)}`);
    process.exit(2);
  }
}

function helpOf(file: string, options: ParseArgsOptionsConfig): string {
  const [, comment = ''] = /\/\*\*\n(.*?)\n \*\//s.exec(readFileSync(file, 'utf8')) ?? [];
  const names = Object.entries(options).map(([name, { type }]) =>
    type === 'boolean' ? `--${name}` : `--${name} <value>`,
  );
  return `${comment.replaceAll(/^ \* ?/gm, '')}\n\nOptions: ${names.join(', ')}\n`;
}

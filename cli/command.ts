import type { Config } from './config.ts';
import type { World } from './world.ts';

/** One command of `nodeflow`: one file of `commands/`. */
export interface Command {
  readonly name: string;
  /** Behind the name in its usage line, such as `<file>`. */
  readonly parameters: string;
  readonly about: string;
  /** How many words it takes besides options. */
  readonly words: { readonly min: number; readonly max: number };
  readonly options: { readonly [name: string]: Option };
  /** Answers the exit code; throws what ends it otherwise. */
  run(call: Call, world: World): Promise<number>;
}

export interface Option {
  /** What its value is called in the help; without it the option is a switch. */
  readonly value?: string;
  readonly about: string;
}

/** A command as it was called. */
export interface Call {
  readonly words: readonly string[];
  /** The value of an option, `''` for a switch that is on. */
  option(name: string): string | undefined;
  /** All values of an option that may be given several times. */
  options(name: string): readonly string[];
  readonly json: boolean;
  /** Reads the configuration when it is first asked for. */
  config(): Config;
}

/** Options that every command takes. */
export const COMMON_OPTIONS: Command['options'] = {
  config: { value: 'file', about: 'Configuration file; default nodeflow.json, where it is there.' },
  set: { value: 'key=value', about: 'Sets a configuration key; may be given several times.' },
  data: { value: 'folder', about: 'Folder of the log and of the local stores; the same as --set data.folder=...' },
  json: { about: 'Results as JSON on standard output.' },
  verbose: { about: 'Errors with their stack, and more log lines.' },
  help: { about: 'Tells about the command.' },
};

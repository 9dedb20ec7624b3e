import { systemClock } from '../../core/clock.ts';
import type { Ended, Machine } from './machine.ts';

/** A machine on which programs answer as told: `undefined` stands for one that is not there. */
export function machineWith(
  programs: { readonly [name: string]: (args: readonly string[]) => Ended | undefined },
  env: Machine['env'] = {},
): Machine & { readonly ran: string[]; readonly said: string[] } {
  const ran: string[] = [];
  const said: string[] = [];
  return {
    env,
    clock: systemClock,
    ran,
    said,
    run: async (program, args) => {
      ran.push([program, ...args].join(' '));
      return programs[program]?.(args);
    },
    say: (line) => void said.push(line),
    stop: new AbortController().signal,
  };
}

export const java = (version: string) => (): Ended => ({ code: 0, said: `openjdk version "${version}" 2025-04-15\n` });

import { createLanguage } from '../../create-language.ts';
import { Coordinator } from '../coordinator.ts';
import { GraphCache } from '../definition-rows.ts';
import { controlProgram } from '../program.ts';
import { runInline } from '../run-inline.ts';

/** The control plane for documents without tasks. */
export function tasklessProgram(partitions: number): ReturnType<typeof controlProgram> {
  const language = createLanguage();
  const lifecycle = language.lifecycle(runInline);
  const graphs = new GraphCache(language);
  return controlProgram({
    ...{ partitions, rememberMs: 3_600_000, maxCalls: 10 },
    coordinator: () =>
      new Coordinator({
        ...{ lifecycle, graphs, rememberMs: 3_600_000, slots: () => 1 },
        calls: { process: 'p', announce: () => undefined, abort: () => undefined, end: () => undefined },
        figures: { commands: 0, steps: 0, nodes: 0, started: 0, ended: 0 },
      }),
    call: () => Promise.reject(new Error('there are no tasks')),
  });
}

import type { Progress } from '../../runtime/runtime.ts';
import { serveTelemetry } from '../../telemetry/telemetry.ts';
import type { Command } from '../command.ts';
import { type Config, runSettings } from '../config.ts';
import { engineOf, telemetryOf } from '../engine.ts';
import { loadTopology, moduleOf, NAME_OPTION } from '../program.ts';
import { showProgress } from '../progress.ts';
import { type Engine, type Running, run as runApplication } from '../wire.ts';
import type { World } from '../world.ts';

export const run: Command = {
  name: 'run',
  parameters: '<file>',
  about: 'Runs the topology that a module exports, until it is complete or stopped (SIGINT, SIGTERM).',
  words: { min: 1, max: 1 },
  options: {
    ...NAME_OPTION,
    workers: { value: 'count', about: 'Worker threads; the same as --set run.workers=...' },
    until: { value: 'end|drained', about: 'end: read topics to their present end, then complete.' },
    'metrics-port': { value: 'port', about: 'Serves /metrics, /healthz and /readyz on the loopback address.' },
    'log-level': { value: 'level', about: 'debug, info, warn, error or silent.' },
  },
  async run(call, world) {
    const config = call.config();
    const [file] = call.words as [string];
    const module = moduleOf(file, call, world);
    const program = await loadTopology(file, call, world);
    const telemetry = telemetryOf(config, world, { application: program.plan.name });
    const engine = await engineOf(config, world, telemetry);
    try {
      const running = await runApplication(program, {
        engine,
        module,
        settings: runSettings(config),
        stop: world.stop,
      });
      const { how, records } = await watch(running, engine, config, world);
      world.out(
        call.json
          ? JSON.stringify({ application: program.plan.name, outcome: how, records })
          : `${program.plan.name}: ${how}, ${records.toLocaleString('en-US')} records`,
      );
      return 0;
    } finally {
      await engine.close();
    }
  },
};

/** Follows a run to its end, with progress, metrics and the wish to stop. */
async function watch(running: Running, engine: Engine, config: Config, world: World) {
  observeProgress(running, engine);
  const port = config.number('metrics.port');
  const host = config.text('metrics.host')!;
  const server =
    port === undefined
      ? undefined
      : await serveTelemetry(engine.telemetry, { port, host, ready: () => !world.stop.aborted });
  if (server !== undefined) world.err(`metrics on http://${host}:${server.port}/metrics`);
  const hideProgress = showProgress(running, world);
  try {
    return await running.finished;
  } finally {
    hideProgress();
    await server?.close();
  }
}

/** The figures of the progress line, as metrics. */
function observeProgress(running: Running, { telemetry }: Engine): void {
  const figure = (name: string, help: string, read: (progress: Progress) => number | undefined) =>
    telemetry.observe(name, help, {}, () => read(running.progress()) ?? Number.NaN);
  figure('nodeflow_application_records_total', 'Records taken since the start of the process.', (p) => p.records);
  figure('nodeflow_application_lag_records', 'Records known to wait in front of the tasks.', (p) => p.lag);
  figure('nodeflow_application_stream_time_seconds', 'The smallest event time among the tasks.', (p) =>
    p.streamTime === undefined ? undefined : p.streamTime / 1000,
  );
  figure('nodeflow_application_tasks', 'Tasks that run here.', (p) => p.tasks);
}

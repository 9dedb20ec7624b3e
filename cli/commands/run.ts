import { serveTelemetry, type Telemetry, type TelemetryServer } from '../../telemetry/telemetry.ts';
import type { Command } from '../command.ts';
import { type Config, runSettings } from '../config.ts';
import { engineOf, telemetryOf } from '../engine.ts';
import { loadTopology, moduleOf, NAME_OPTION } from '../program.ts';
import { showProgress } from '../progress.ts';
import { type Running, run as runApplication } from '../wire.ts';
import type { World } from '../world.ts';
import { RENAME_OPTION, renamesOf } from './plan.ts';

export const run: Command = {
  name: 'run',
  parameters: '<file>',
  about: 'Runs the topology that a module exports, until it is complete or stopped (SIGINT, SIGTERM).',
  words: { min: 1, max: 1 },
  options: {
    ...NAME_OPTION,
    ...RENAME_OPTION,
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
    const telemetry = telemetryOf(config, world, {});
    let running: Running | undefined;
    let server: TelemetryServer | undefined;
    const engine = await engineOf(config, world, telemetry);
    try {
      server = await serve(config, world, telemetry, () => running);
      running = await runApplication(program, {
        engine,
        module,
        settings: runSettings(config),
        stop: world.stop,
        renames: renamesOf(call),
      });
      const { how, records } = await watch(running, world);
      world.out(
        call.json
          ? JSON.stringify({ application: program.plan.name, outcome: how, records })
          : `${program.plan.name}: ${how}, ${records.toLocaleString('en-US')} records`,
      );
      return 0;
    } finally {
      await engine.close();
      await server?.close();
    }
  },
};

/** Serves the metrics where a port is configured, from before the run on: it is ready when the run is. */
async function serve(
  config: Config,
  world: World,
  telemetry: Telemetry,
  running: () => Running | undefined,
): Promise<TelemetryServer | undefined> {
  const port = config.number('metrics.port');
  if (port === undefined) return undefined;
  const host = config.text('metrics.host')!;
  const server = await serveTelemetry(telemetry, {
    port,
    host,
    ready: () => !world.stop.aborted && (running()?.health().ready ?? false),
    degraded: () => running()?.health().degraded,
    ill: () => running()?.health().ill,
  });
  world.err(`metrics on http://${host}:${server.port}/metrics`);
  return server;
}

/** Follows a run to its end, with progress. */
async function watch(running: Running, world: World) {
  const hideProgress = showProgress(running, world);
  try {
    return await running.finished;
  } finally {
    hideProgress();
  }
}

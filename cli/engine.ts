import { existsSync } from 'node:fs';
import { FlowError } from '../core/errors.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Call } from './command.ts';
import { type Config, dataFolder, loadConfig } from './config.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { registrySettings } from './registry-settings.ts';
import { type Engine, type EngineOptions, type LogDriver, logDriver, openEngine } from './wire.ts';
import type { World } from './world.ts';

export function telemetryOf(config: Config, world: World, fields: object): Telemetry {
  const form = config.text('logging.form') as 'plain' | 'json' | undefined;
  return createTelemetry({
    level: config.text('logging.level') as 'debug' | 'info' | 'warn' | 'error' | 'silent',
    form: form ?? (world.over === undefined ? 'json' : 'plain'),
    fields,
    sink: {
      write: (line) => {
        world.over?.('');
        world.err(line.trimEnd());
      },
    },
  });
}

export function engineOf(config: Config, world: World, telemetry: Telemetry): Promise<Engine> {
  return openEngine({
    directory: dataFolder(config, world.cwd),
    ...logOf(config, world.cwd),
    telemetry,
  });
}

/** Which log and which schema registry, and where, as the configuration of a folder and an environment says. */
export function configuredLog({ cwd, env }: Pick<World, 'cwd' | 'env'>): LogChoice {
  return logOf(loadConfig({ cwd, env }), cwd);
}

/** Which kind of log the configuration chooses. */
export function logDriverOf(config: Config): LogDriver {
  return logDriver(chosenLog(config));
}

function chosenLog(config: Config): Pick<EngineOptions, 'log' | 'brokers'> {
  const [log, brokers] = [config.text('log.driver') as LogDriver | undefined, config.text('brokers')];
  return { ...(log === undefined ? {} : { log }), ...(brokers === undefined ? {} : { brokers }) };
}

type LogChoice = Pick<EngineOptions, 'log' | 'brokers' | 'kafka' | 'registry'>;

function logOf(config: Config, cwd: string): LogChoice {
  return { ...chosenLog(config), kafka: kafkaSettings(config, cwd), registry: registrySettings(config, cwd) };
}

/** Opens the log of the data folder for a command that looks at it; the folder must be there already. */
export async function withLog<T>(call: Call, world: World, use: (engine: Engine) => Promise<T>): Promise<T> {
  const config = call.config();
  const folder = dataFolder(config, world.cwd);
  if (logDriverOf(config) === 'file' && !existsSync(folder)) {
    throw new FlowError(
      'file.missing',
      `there is no data folder ${folder}; name it with --data, or run a topology first`,
    );
  }
  const engine = await engineOf(config, world, telemetryOf(config, world, {}));
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { type DatabaseAddress, openDatabase } from '../database/database.ts';
import type { ApiKey, Gateway } from '../gateway/gateway.ts';
import { followFeed, openProjections, type Projections } from '../projections/projections.ts';
import { type Language, openWorkflows, type WorkflowSettings, type Workflows } from '../workflows/workflows.ts';
import type { Engine } from './wire.ts';

export interface WorkflowServiceOptions {
  /** Stays open behind the service. */
  readonly engine: Engine;
  readonly language: Language;
  readonly settings?: Partial<WorkflowSettings>;
  /** Of the read side; `none` for none. Default: PGlite beside the stores of the engine, or in memory. */
  readonly database?: DatabaseAddress | 'none';
  /** Default: no HTTP interface. */
  readonly gateway?: { readonly port: number; readonly host?: string; readonly apiKeys?: readonly ApiKey[] };
}

/** Workflows that run in this process, with what makes them seen. */
export interface WorkflowService {
  readonly workflows: Workflows;
  /** `undefined` where there is none, or its database cannot be reached yet. */
  readonly projections: Projections | undefined;
  readonly gateway: Gateway | undefined;
  /** Finishes what is in hand, in the order in which it hangs together. */
  close(): Promise<void>;
}

/**
 * Opens workflows with their read side and their HTTP interface. Workflows run without either: a database that is away is
 * said in the log, and lists answer so.
 */
export async function openWorkflowService(options: WorkflowServiceOptions): Promise<WorkflowService> {
  const { engine, language, settings } = options;
  const { log, state, clock, telemetry, stateFolder } = engine;
  let seen: ReadSide | undefined;
  await log.checkClock?.();
  const workflows = await openWorkflows({
    ...{ log, state, clock, telemetry, language, directory: stateFolder },
    place: async (execution) => seen?.projections.place(execution),
    ...(settings === undefined ? {} : { settings }),
  });
  seen = await openReadSide(options, workflows);
  try {
    const gateway = await openDoor(options, workflows, seen);
    return {
      workflows,
      projections: seen?.projections,
      gateway,
      async close() {
        await gateway?.close();
        await seen?.close();
        await workflows.drain();
      },
    };
  } catch (thrown) {
    await seen?.close();
    await workflows.drain();
    throw thrown;
  }
}

/** The HTTP interface, of which nothing is loaded where there is none. */
async function openDoor(
  { gateway, engine: { telemetry, clock } }: WorkflowServiceOptions,
  workflows: Workflows,
  seen: ReadSide | undefined,
): Promise<Gateway | undefined> {
  if (gateway === undefined) return undefined;
  const { openGateway } = await import('../gateway/gateway.ts');
  return openGateway({
    ...gateway,
    ...{ workflows, telemetry, clock, projections: seen?.projections, health: () => workflows.health() },
  });
}

interface ReadSide {
  readonly projections: Projections;
  close(): Promise<void>;
}

async function openReadSide(
  { engine, database }: WorkflowServiceOptions,
  workflows: Workflows,
): Promise<ReadSide | undefined> {
  if (database === 'none') return undefined;
  const { telemetry, clock, stateFolder } = engine;
  const address = database ?? {
    directory: stateFolder === undefined ? undefined : join(stateFolder, '..', 'projections'),
  };
  let projections: Projections;
  try {
    projections = await openProjections(await openDatabase(address));
  } catch (thrown) {
    telemetry.log.error({}, `executions cannot be listed until the process is started again: ${messageOf(thrown)}`);
    return undefined;
  }
  const following = followFeed({
    ...{
      feed: workflows.feed,
      projections,
      clock,
    },
    onState: (failure) =>
      failure === undefined
        ? telemetry.log.info({}, 'the read side is written again')
        : telemetry.log.warn({}, `the read side cannot be written: ${failure}`),
  });
  const forget = telemetry.observe(
    'nodeflow_projections_lag',
    'Step records that the read side has yet to take.',
    {},
    () => following.lag,
  );
  return {
    projections,
    async close() {
      forget();
      await following.close();
      await projections.close();
    },
  };
}

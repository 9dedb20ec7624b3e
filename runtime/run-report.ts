import type { Clock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import type { Log } from '../log/log.ts';
import type { KnownSchemas } from '../schemas/schemas.ts';
import { MetricSet } from './metrics.ts';
import type { Progress, Run, RunOptions } from './runtime.ts';

/** The metrics of a whole application, and the log lines of its start and end. */
export function reportRun(run: Run, options: RunOptions & { readonly schemas: KnownSchemas | undefined }): void {
  const { program, telemetry, settings, log: topics, clock } = options;
  const application = program.plan.name;
  const metrics = new MetricSet(telemetry, { application });
  const log = telemetry.log.with({ application });
  let total: number | undefined;
  const records = () => total ?? run.progress().records;
  metrics.observe('nodeflow_application_records_total', {}, records);
  const progress = () => run.progress();
  const ends = [
    metrics.observe('nodeflow_application_lag_records', {}, () => progress().lag),
    metrics.observe('nodeflow_application_stream_time_seconds', {}, () => seconds(progress())),
    metrics.observe('nodeflow_application_tasks', {}, () => progress().tasks),
    metrics.observe('nodeflow_application_tasks_ended', {}, () => progress().tasksEnded),
    metrics.observe('nodeflow_application_ready', {}, () => (run.health().ready ? 1 : 0)),
    metrics.observe('nodeflow_application_degraded', {}, () => (run.health().degraded === undefined ? 0 : 1)),
    ...reportConnection(metrics, topics, clock),
    ...reportRegistry(metrics, options.schemas, clock),
  ];
  const end = (records: number) => {
    total = records;
    for (const withdraw of ends) withdraw();
  };
  log.info({ workers: settings.workers, tasks: progress().tasks }, 'run started');
  run.finished.then(
    (outcome) => {
      end(outcome.records);
      log.info({ records: outcome.records }, outcome.how === 'complete' ? 'run complete' : 'run drained');
    },
    (thrown: unknown) => {
      end(run.progress().records);
      // what failed is told to whoever waits for the run
      log.info({ code: isFlowError(thrown) ? thrown.code : 'unexpected' }, 'run failed');
    },
  );
}

/** How it goes with the brokers; nothing where there are none. Answers what takes the gauges away again. */
export function reportConnection(metrics: MetricSet, log: Log, clock: Clock): readonly (() => void)[] {
  const { connection } = log;
  if (connection === undefined) return [];
  const outageMs = () => (connection.outage === undefined ? 0 : clock.now() - connection.outage.since);
  metrics.observe('nodeflow_log_retries_total', {}, () => connection.retries);
  return [metrics.observe('nodeflow_log_outage_seconds', {}, () => outageMs() / 1000)];
}

/** How it goes with the schema registry; nothing where none is used. Answers what takes the gauge away again. */
export function reportRegistry(
  metrics: MetricSet,
  schemas: KnownSchemas | undefined,
  clock: Clock,
): readonly (() => void)[] {
  if (schemas === undefined) return [];
  const { registry } = schemas;
  metrics.observe('nodeflow_registry_requests_total', {}, () => registry.figures.requests);
  metrics.observe('nodeflow_registry_failures_total', {}, () => registry.figures.failures);
  metrics.observe('nodeflow_registry_cache_hits_total', {}, () => registry.figures.cacheHits);
  const outageMs = () => {
    const { outage } = registry.figures;
    return outage === undefined ? 0 : clock.now() - outage.since;
  };
  return [metrics.observe('nodeflow_registry_outage_seconds', {}, () => outageMs() / 1000)];
}

function seconds({ streamTime }: Progress): number {
  return streamTime === undefined ? Number.NaN : streamTime / 1000;
}

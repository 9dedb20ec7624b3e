import { METRICS, type MetricSpec } from '../runtime/runtime.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** docs/metrics.md, from the table of metrics. */
export function metricReference(): string {
  return [
    '# Metrics and logs',
    '',
    'Printed from `runtime/metric-table.ts` by `npm run docs`; a test compares.',
    '',
    '`nodeflow run <file> --metrics-port 9464` (or the configuration key `metrics.port`) serves on the loopback address:',
    '',
    'path | answer',
    '--- | ---',
    '`/metrics` | the metrics below as Prometheus text, format 0.0.4',
    '`/readyz` | 200 while all tasks of this process are restored and running, else 503, with the reason where it is degraded',
    '`/healthz` | 200 while every worker turns its loop, also where it only waits: `degraded` and the reason while no broker answers, a worker thread is blocked or records wait for a schema registry that does not answer; 503 when one has stood still for 10 s and a commit interval for another reason',
    '',
    'An application that starts a topology itself has them as `engine.telemetry.exposition()` and `running.health()`.',
    '',
    'Figures are read when somebody asks and cost nothing otherwise; only behind nodes that change how many records there are does each record cost an addition. With several workers the counters and histograms are added up and gauges carry the label `worker`; figures of a worker thread are at most two seconds old. A gauge of a task goes when the task does; what its counters have counted stays.',
    '',
    '## Metrics',
    '',
    'name | type | labels | meaning',
    '--- | --- | --- | ---',
    ...Object.entries<MetricSpec>(METRICS).map(([name, spec]) => row(name, spec)),
    ...processMetrics(),
    '',
    '## Logs',
    '',
    'Lines go to standard error from the level `logging.level` on, as JSON lines or plain text (`logging.form`), with `application`, `task`, `node` and `worker` where known. At `info`: a run that starts, completes, is drained or fails; tasks opened, restored, ended, closed, standbys opened and closed, and every 5 s how far restores are. At `warn`: an epoch that is done again and why, a corrupt store that was set aside, a store rebuilt from its changelog, a standby that failed and is opened again, and records that were skipped or put among the dead letters: one line a node and second, with their count.',
    '',
    '## Secrets',
    '',
    'Before anything is logged, served or printed as an error, these are replaced by `[hidden]`: values under a key that names a secret (password, token, credential and the like), what looks like one in running text (`password=...`, bearer tokens, user and password in addresses, private keys), and, wherever they turn up, the values of environment variables whose names say so. The header that gives the reason in a dead letter is treated in the same way. Data is not: a dead letter keeps the key and the value of the record as they came, and `consume` shows what a topic holds.',
    '',
  ].join('\n');
}

function row(name: string, { type, labels, help }: MetricSpec): string {
  const names = labels.length === 0 ? 'none' : labels.map((label) => `\`${label}\``).join(', ');
  return [`\`${name}\``, type, names, help].map(cell).join(' | ');
}

/** Those of the process, as a telemetry of its own shows them. */
function processMetrics(): readonly string[] {
  return createTelemetry({ level: 'silent' })
    .snapshot()
    .map(({ name, type, help }) => row(name, { type, labels: [], help }));
}

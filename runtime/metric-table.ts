/**
 * Every metric of the engine, by name: what it counts, under which labels. `docs/metrics.md` is printed from this
 * table, and the runtime makes no metric that is not in it. Times are in seconds and sizes in bytes, as Prometheus
 * has it.
 */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  readonly bounds?: readonly number[];
}

const APPLICATION = ['application'];
const TASK = ['application', 'task'];
const NODE = ['application', 'task', 'node'];
const TOPIC = ['application', 'task', 'topic'];
const STORE = ['application', 'task', 'store'];

const counter = (labels: readonly string[], help: string): MetricSpec => ({ type: 'counter', labels, help });
const gauge = (labels: readonly string[], help: string): MetricSpec => ({ type: 'gauge', labels, help });
const histogram = (labels: readonly string[], bounds: readonly number[], help: string): MetricSpec => ({
  type: 'histogram',
  labels,
  help,
  bounds,
});

export const METRICS = {
  nodeflow_application_records_total: counter(APPLICATION, 'Records taken by all tasks since the process started.'),
  nodeflow_application_lag_records: gauge(APPLICATION, 'Records known to wait in front of the tasks.'),
  nodeflow_application_stream_time_seconds: gauge(
    APPLICATION,
    'The smallest event time among the running tasks; NaN before any record.',
  ),
  nodeflow_application_tasks: gauge(APPLICATION, 'Tasks of the application.'),
  nodeflow_application_tasks_ended: gauge(APPLICATION, 'Tasks that have ended in this run.'),
  nodeflow_application_ready: gauge(APPLICATION, '1 while all tasks of this process are restored and running.'),
  nodeflow_application_degraded: gauge(
    APPLICATION,
    '1 while something keeps this process from going on that may pass.',
  ),
  nodeflow_worker_tasks: gauge(APPLICATION, 'Tasks that a worker runs.'),
  nodeflow_worker_silent_seconds: gauge(APPLICATION, 'Time since the loop of a worker last turned.'),
  nodeflow_assignment_pause_seconds: histogram(
    APPLICATION,
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30],
    'How long all tasks of a worker stood still because others of its tasks were given up or taken over.',
  ),
  nodeflow_rebuilds_total: counter(APPLICATION, 'Epochs that failed and were done again.'),
  nodeflow_task_open_failures_total: counter(TASK, 'How often a task could not be opened, and was tried again later.'),
  nodeflow_quarantines_total: counter(TASK, 'How often a task was set apart, since it failed again and again.'),
  nodeflow_task_quarantined: gauge(TASK, '1 while a task was set apart, and commits alone.'),

  nodeflow_task_records_total: counter(TASK, 'Records taken by a task. An epoch that is done again counts again.'),
  nodeflow_task_stream_time_seconds: gauge(TASK, 'The largest event time that a task has taken; NaN before any.'),
  nodeflow_task_lag_records: gauge(TOPIC, 'Records of an input that are known to wait, fetched or not.'),
  nodeflow_intake_bytes: gauge(TOPIC, 'Fetched bytes that wait in front of a task.'),
  nodeflow_intake_records: gauge(TOPIC, 'Fetched records that wait in front of a task.'),
  nodeflow_intake_paused: gauge(TOPIC, '1 while an input is paused because enough of it waits.'),

  nodeflow_node_records_total: counter(
    NODE,
    'Records pushed into a node. A record that runs again, after a cold read, a wait for calls or with its epoch, counts again; one on which a node fails may count for the nodes directly behind it.',
  ),
  nodeflow_input_records_total: counter(
    [...NODE, 'input'],
    'The same by input, of nodes with several: `input` is the node before it.',
  ),
  nodeflow_dropped_records_total: counter(
    [...NODE, 'reason'],
    'Records that went no further, by node and reason; one undone and run again counts once.',
  ),
  nodeflow_clamped_times_total: counter(
    [...NODE, 'reason'],
    'Records whose time was brought within bounds, since their source says `clamp`.',
  ),
  nodeflow_dead_letters_total: counter([...NODE, 'reason'], 'Records written to the dead-letter topic.'),

  nodeflow_calls_in_flight: gauge(
    NODE,
    'Records of an asynchronous operator of which a call is on its way or whose result waits for its turn.',
  ),
  nodeflow_calls_total: counter(
    [...NODE, 'outcome'],
    'Attempts of calls that have ended, by outcome: done, failed or timeout.',
  ),
  nodeflow_call_duration_seconds: histogram(
    NODE,
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    'How long such attempts took.',
  ),

  nodeflow_commits_total: counter(APPLICATION, 'Epochs committed.'),
  nodeflow_commit_duration_seconds: histogram(
    APPLICATION,
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    'Time from the cut of an epoch to the answer of the log.',
  ),
  nodeflow_commit_records: histogram(
    APPLICATION,
    [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
    'Records written in one epoch: output, changelogs, progress.',
  ),
  nodeflow_commit_bytes: histogram(
    APPLICATION,
    [1024, 16_384, 131_072, 1_048_576, 8_388_608, 67_108_864, 536_870_912],
    'Bytes written in one epoch.',
  ),

  nodeflow_restore_records_total: counter(TASK, 'Changelog records applied to bring state back.'),
  nodeflow_restore_remaining_records: gauge(
    STORE,
    'Changelog positions still to be read by a restore that goes on now.',
  ),
  nodeflow_restore_remaining_seconds: gauge(
    APPLICATION,
    'How long the restores of a worker will go on at the rate they had so far; 0 while there are none, NaN before a rate is known.',
  ),
  nodeflow_restore_duration_seconds: gauge(TASK, 'How long the last restore of a task took.'),

  nodeflow_standby_lag_records: gauge(
    TASK,
    'Changelog positions that a standby is behind the end of what is committed, its tables added up.',
  ),
  nodeflow_standby_records_total: counter(TASK, 'Changelog records applied to standbys.'),

  nodeflow_store_hot_rows: gauge(STORE, 'Rows of a store that are in memory.'),
  nodeflow_store_hot_bytes: gauge(STORE, 'Memory of these rows, without long keys and values.'),
  nodeflow_store_cold_reads_total: counter(STORE, 'Rows and ranges read from disk because a record wanted them.'),
  nodeflow_store_evictions_total: counter(STORE, 'Rows taken out of memory.'),
  nodeflow_state_bytes: gauge(TASK, 'Memory of all state of a task, with images that wait for the disk.'),
  nodeflow_state_unwritten_bytes: gauge(TASK, 'Committed rows that wait to be written to disk.'),
  nodeflow_state_written_rows_total: counter(TASK, 'Rows written to disk.'),
  nodeflow_state_used_bytes: gauge(APPLICATION, 'Memory of state of a worker.'),
  nodeflow_state_limit_bytes: gauge(APPLICATION, 'The bound of that memory.'),

  nodeflow_log_outage_seconds: gauge(APPLICATION, 'How long no broker has answered; 0 while they do.'),
  nodeflow_log_retries_total: counter(APPLICATION, 'Requests to brokers that were asked again.'),
  nodeflow_registry_requests_total: counter(APPLICATION, 'Requests to the schema registry, with their repetitions.'),
  nodeflow_registry_failures_total: counter(
    APPLICATION,
    'Of these: not answered, or answered by an error other than that something is not there.',
  ),
  nodeflow_registry_cache_hits_total: counter(APPLICATION, 'Questions to it that were answered from memory.'),
  nodeflow_registry_outage_seconds: gauge(APPLICATION, 'How long it has not answered; 0 while it does.'),
  nodeflow_log_syncs_total: counter([], 'Syncs of the journal of the file log.'),
  nodeflow_log_entries_total: counter([], 'Commits and facts that these syncs made durable.'),
  nodeflow_log_journal_bytes: gauge([], 'Size of the journal of the file log.'),
} as const satisfies { readonly [name: string]: MetricSpec };

export type MetricName = keyof typeof METRICS;

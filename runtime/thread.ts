import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { setFailpointOf } from '../core/failpoints.ts';
import { type Random, seededRandom } from '../core/random.ts';
import { connectLog, type Log } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { SchemaRegistry } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, registerSecret, type Telemetry } from '../telemetry/telemetry.ts';
import { planHash } from '../topology/plan.ts';
import { bindProgram } from './bind-schemas.ts';
import { createHost, type WorkerHost } from './host.ts';
import { loadProgram } from './load.ts';
import { MetricSet } from './metrics.ts';
import { openRegistryAt } from './open-registry.ts';
import type { StoreRequest } from './read-store.ts';
import { reportConnection, reportRegistry } from './run-report.ts';
import { PlanIndex } from './stage.ts';
import { bindStores } from './store-schemas.ts';
import {
  bufferOf,
  type ThreadData,
  type ThreadFailure,
  type ThreadReply,
  type ThreadRequest,
} from './thread-protocol.ts';

/** The entry of a worker thread: builds the same plan, runs one worker, answers the supervisor. */
const { data, port } = workerData as { readonly data: ThreadData; readonly port: MessagePort };
const supervisor = parentPort!;
const FIGURES_MS = 200;
const METRICS_EVERY = 10;

function reply(message: ThreadReply): void {
  supervisor.postMessage(message);
}

function flatten(thrown: unknown): ThreadFailure {
  return {
    code: thrown instanceof FlowError ? thrown.code : undefined,
    message: messageOf(thrown),
    stack: thrown instanceof Error ? thrown.stack : undefined,
  };
}

/** The keys of a question have come as bytes without their methods. */
function storeRequest(request: StoreRequest): StoreRequest {
  const { question } = request;
  if (question.kind !== 'range') return { ...request, question: { ...question, key: bufferOf(question.key) } };
  const [from, to, after] = [question.from, question.to, question.after].map((key) => key && bufferOf(key));
  return { ...request, question: { ...question, from, to, after } };
}

interface ThreadParts {
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly random: Random;
  readonly registry: SchemaRegistry | undefined;
}

async function start({ log, telemetry, random, registry }: ThreadParts): Promise<WorkerHost> {
  const program = await loadProgram(data.module);
  if (planHash(program.plan) !== data.planHash) {
    throw new FlowError(
      'plan.mismatch',
      `worker ${data.worker} built another plan from ${data.module.url}; a topology module must build the same plan in every thread: no randomness, no time, no counters in ids`,
    );
  }
  const bound = await bindProgram(program, {
    registry,
    clock: systemClock,
    log: telemetry.log.with({ application: data.application }),
  });
  const host = await createHost({
    program: await bindStores(bound.program, { log, clock: systemClock, random, guarantee: data.settings.guarantee }),
    schemas: bound.schemas,
    log,
    state: createStateBackend({}),
    directory: data.directory,
    clock: systemClock,
    telemetry,
    settings: data.settings,
    index: new PlanIndex(program.plan, data.settings.deadLetters),
    specs: new Map(data.specs.map((spec) => [spec.id, spec])),
    worker: data.worker,
    slot: data.slot,
    limits: data.limits,
  });
  reportRegistry(new MetricSet(telemetry, { application: data.application }), bound.schemas, systemClock);
  const close = () => bound.schemas?.close();
  host.finished.then(close, close);
  return host;
}

async function main(): Promise<void> {
  setFailpointOf(process.env);
  for (const secret of data.secrets) registerSecret(secret);
  const telemetry = createTelemetry({
    level: 'debug',
    form: 'json',
    process: false,
    sink: { write: (line) => reply({ kind: 'line', line }) },
  });
  const log = await connectLog(port);
  reportConnection(new MetricSet(telemetry, { application: data.application }), log, systemClock);
  const random = seededRandom(systemClock.now());
  const { registry: address } = data;
  const registry = address === undefined ? undefined : openRegistryAt(address, { log, clock: systemClock, random });
  try {
    await work({ log, telemetry, random, registry: registry?.client });
  } finally {
    await registry?.close();
    await log.close();
  }
}

const nothing = () => undefined;

/** Runs the worker to its end, and does meanwhile what the supervisor asks. */
async function work(parts: ThreadParts): Promise<void> {
  const { telemetry } = parts;
  const host = await start(parts);
  const answer = (call: number, work: Promise<readonly FoundRow[] | undefined>) => {
    work.then(
      (found) => reply(found === undefined ? { kind: 'done', call } : { kind: 'done', call, found }),
      (thrown: unknown) => reply({ kind: 'done', call, failure: flatten(thrown) }),
    );
  };
  supervisor.on('message', (request: ThreadRequest) => {
    if (request.kind === 'renew') host.renew(request.identity, request.tasks);
    else if (request.kind === 'assign')
      answer(request.call, host.assign(request.identity, request.tasks, request.standbys).then(nothing));
    else if (request.kind === 'query') answer(request.call, host.query(storeRequest(request.request)));
    else if (request.kind === 'revoke') answer(request.call, host.revoke(request.tasks).then(nothing));
    else host.stop();
  });
  const report = (whole: boolean) =>
    reply({ kind: 'figures', figures: host.figures(), metrics: whole ? telemetry.snapshot() : undefined });
  let reports = 0;
  const repeat = () => {
    report(reports++ % METRICS_EVERY === 0);
    systemClock.after(FIGURES_MS, repeat);
  };
  reply({ kind: 'ready' });
  repeat();
  try {
    await host.finished;
  } finally {
    report(true);
  }
}

main().then(
  () => end({ kind: 'finished' }),
  (thrown: unknown) => end({ kind: 'finished', failure: flatten(thrown) }),
);

function end(last: ThreadReply): void {
  reply(last);
  supervisor.close();
  port.close();
}

import type { Clock } from '../../core/clock.ts';
import type { Json, Millis } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import { decodeStep, EVENTS_TOPIC, type SessionEvent, type StepRecord } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import type { Run } from '../../runtime/runtime.ts';
import type { Header } from '../lifecycle/lifecycle.ts';
import { type SessionName, sessionAddress, sessionIdFault } from '../sessions/sessions.ts';
import type { CommandOptions, SessionView } from '../workflows.ts';
import type { Answers } from './answers.ts';
import { rejection } from './commands.ts';
import { committedRows } from './committed-rows.ts';
import { partitionOf } from './history.ts';
import { MemoryStore } from './memory-rows.ts';
import type { SessionMessage } from './messages.ts';
import { owned } from './owned-rows.ts';
import type { Sender } from './sender.ts';
import { SessionRows, sessionRowsOf } from './session-rows.ts';
import { scanSteps } from './step-scan.ts';

export interface SessionDeskParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly run: Run;
  readonly sender: Sender;
  readonly answers: Answers;
  readonly partitions: number;
  hasEnded(execution: string): Promise<boolean>;
}

type SessionHolderView = NonNullable<SessionView['holder']>;

/** What a holder has written is the session's a commit after its end, or as soon as those that share it have ended. */
const LOOKS = 50;
const LOOK_MS: Millis = 5;

/** What people ask of sessions. */
export class SessionDesk {
  readonly #parts: SessionDeskParts;

  constructor(parts: SessionDeskParts) {
    this.#parts = parts;
  }

  /** As it is; what an execution that has ended has written is waited for, so that who has seen its end sees that too. */
  async look(name: string, id: string): Promise<SessionView | undefined> {
    const { clock, hasEnded } = this.#parts;
    for (let looks = 1; ; looks++) {
      const view = await this.view(name, id);
      if (view?.holder == null || looks === LOOKS || !(await hasEnded(view.holder.execution))) return view;
      await clock.sleep(LOOK_MS);
    }
  }

  /** Who holds the session that an execution waits for, as soon as it stands in the queue; undefined where it does not wait. */
  async holder(execution: string, look: () => Promise<Header | undefined>): Promise<SessionHolderView | undefined> {
    for (let looks = 1; ; looks++) {
      const session = (await look())?.session ?? null;
      if (session === null || session.isHeld) return undefined;
      const holder = (await this.view(session.name, session.id))?.holder ?? undefined;
      if (looks === LOOKS || (holder !== undefined && holder.execution !== execution)) return holder;
      await this.#parts.clock.sleep(LOOK_MS);
    }
  }

  /** As it is by what is committed, or was at a time: the fold of its step records. Undefined where there is none. */
  async view(name: string, id: string, at?: Millis): Promise<SessionView | undefined> {
    const session = { name, id };
    if (sessionIdFault(id) !== undefined) return undefined;
    const address = sessionAddress(session);
    const rows = (at === undefined ? await this.#owned(address) : undefined) ?? (await this.#folded(address, at));
    return sessionView(rows, session, at ?? this.#parts.clock.now());
  }

  /** Empties it; one that is not there is empty. */
  async clear(name: string, id: string, options: CommandOptions = {}): Promise<void> {
    if (sessionIdFault(id) !== undefined) return;
    const { sender, answers, clock } = this.#parts;
    const { id: command = uniqueId(), by } = options;
    const address = sessionAddress({ name, id });
    const from = by === undefined ? {} : { by };
    const message: SessionMessage = { session: address, s: { do: 'clear' }, id: command, ...from };
    const taken = answers.to(command);
    sender.send(address, JSON.stringify(message), clock.now(), (reason) => answers.fail(command, reason));
    const { rejected } = await taken;
    if (rejected !== undefined) throw rejection(rejected);
  }

  /** Undefined where another process owns it, or it is being restored. */
  async #owned(address: string): Promise<SessionRows | undefined> {
    const { run, partitions } = this.#parts;
    const rows = await owned(() => committedRows(run, partitionOf(address, partitions), ...sessionRowsOf(address)));
    return rows === undefined ? undefined : new SessionRows(new MemoryStore(rows), address);
  }

  /** Its first step may be anywhere: nothing tells when it was used first. */
  async #folded(address: string, at = Number.POSITIVE_INFINITY): Promise<SessionRows> {
    const { log, partitions } = this.#parts;
    const partition = partitionOf(address, partitions);
    const { start, stable } = await log.admin.bounds(EVENTS_TOPIC, partition);
    const records: StepRecord[] = [];
    const take = (_: number, bytes: Parameters<typeof decodeStep>[0]) => {
      const record = decodeStep(bytes);
      if (record.at <= at) records.push(record);
      return record.at > at;
    };
    await scanSteps(log, { partition, execution: address, from: start, to: stable, take });
    return foldSession(address, records);
  }
}

/** A session as its step records tell it; those of a life that is over are part of it. */
export function foldSession(address: string, records: readonly StepRecord[]): SessionRows {
  const rows = new SessionRows(new MemoryStore(), address);
  for (const record of records) {
    for (const event of record.events) rows.evolve(record, event as SessionEvent);
    rows.settle();
  }
  return rows;
}

/** At a time: what has expired by then is not there, whether it was told so or not. */
export function sessionView(rows: SessionRows, { name, id }: SessionName, at: Millis): SessionView | undefined {
  const { seq, holder, expiresAt, waiting, keys } = rows.header;
  if (seq === 0 || (holder === null && (keys.length === 0 || expiresAt <= at))) return undefined;
  const values: { readonly [key: string]: Json } = rows.values();
  return {
    ...{ name, id, seq, values, waiting },
    expiresAt: holder === null ? expiresAt : null,
    holder: holder === null ? null : { execution: holder.execution, since: holder.since },
  };
}

import type { EngineOptions } from '../../index.ts';
import type { Log } from '../../log/log.ts';
import type { KafkaProxy } from '../proxy/proxy.ts';

/** Where the job runs: the log that it is tried on, and what can be done to it. */
export interface World {
  readonly kind: 'file' | 'kafka';
  /** Whether the log can be read and fed while the job runs. */
  readonly shared: boolean;
  /** A log for whoever feeds and checks; it does not go through the proxy. With a log that is not shared, between runs. */
  openLog(run: string): Promise<Log>;
  /** What the job is opened with; processes of different slots have different folders. */
  engineFor(run: string, slot: number): EngineOptions;
  /** What the processes that do the job have in their environment besides. */
  readonly env?: { readonly [name: string]: string };
  /** Where the processes of a slot keep their state. */
  stateOf(run: string, slot: number): string;
  readonly proxy: KafkaProxy | undefined;
  readonly brokers: BrokerControl | undefined;
  close(): Promise<void>;
}

export interface BrokerControl {
  /** Brokers by number, from 1. */
  readonly count: number;
  kill(broker: number): Promise<void>;
  stop(broker: number): Promise<void>;
  /** Resolves when it serves. */
  start(broker: number): Promise<void>;
  pause(broker: number): void;
  resume(broker: number): void;
}

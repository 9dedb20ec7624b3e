/**
 * What the peers use of packages that are not among those of the project: they are there only once the benchmark has
 * brought them.
 */

declare module '@restatedev/restate-sdk' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

  export interface RestatePromise<T> extends Promise<T> {
    readonly [Symbol.toStringTag]: 'RestatePromise';
  }
  export const RestatePromise: { all<T>(promises: readonly RestatePromise<T>[]): RestatePromise<T[]> };
  export interface Context {
    run<T>(name: string, action: () => T | Promise<T>): RestatePromise<T>;
  }
  export interface Service<Handlers> {
    readonly name: string;
    readonly handlers?: Handlers;
  }
  export function service<Handlers>(definition: { name: string; handlers: Handlers }): Service<Handlers>;
  export function createEndpointHandler(options: {
    services: readonly Service<unknown>[];
    logger: (about: { readonly level: string }, ...words: unknown[]) => void;
  }): {
    (request: IncomingMessage, response: ServerResponse): void;
    (request: Http2ServerRequest, response: Http2ServerResponse): void;
  };
}

declare module '@restatedev/restate-sdk-clients' {
  import type { Service } from '@restatedev/restate-sdk';

  type Calls<Handlers> = {
    [Name in keyof Handlers]: Handlers[Name] extends (context: never, input: infer Input) => Promise<infer Output>
      ? (input: Input) => Promise<Output>
      : never;
  };
  export interface Ingress {
    serviceClient<S>(service: { name: string }): S extends Service<infer Handlers> ? Calls<Handlers> : never;
  }
  export function connect(options: { url: string }): Ingress;
}

declare module 'bullmq' {
  interface Settings {
    connection: { readonly host: string; readonly port: number };
  }
  interface JobOptions {
    readonly jobId?: string;
    readonly removeOnComplete?: boolean;
  }
  export interface Job<Data, Result> {
    readonly name: string;
    readonly data: Data;
    readonly returnvalue: Result;
    getChildrenValues<T>(): Promise<{ readonly [job: string]: T }>;
  }
  export interface FlowJob {
    readonly name: string;
    readonly queueName: string;
    readonly data: unknown;
    readonly opts?: JobOptions;
    readonly children?: readonly FlowJob[];
  }
  export class Queue<Data> {
    constructor(name: string, settings: Settings);
    add(name: string, data: Data, options: JobOptions): Promise<unknown>;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  }
  export class FlowProducer {
    constructor(settings: Settings);
    add(flow: FlowJob): Promise<unknown>;
    close(): Promise<void>;
  }
  export class QueueEvents {
    constructor(name: string, settings: Settings);
    on(event: 'completed', heard: (end: { readonly jobId: string; readonly returnvalue: unknown }) => void): this;
    on(event: 'failed', heard: (end: { readonly jobId: string; readonly failedReason: string }) => void): this;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  }
  export class Worker<Data, Result> {
    constructor(
      name: string,
      run: (job: Job<Data, Result>) => Promise<Result>,
      settings: Settings & { readonly concurrency: number },
    );
    on(event: 'failed', heard: (job: unknown, error: Error) => void): this;
    waitUntilReady(): Promise<unknown>;
    close(force: boolean): Promise<void>;
  }
}

declare module '@dbos-inc/dbos-sdk' {
  export const DBOS: {
    registerWorkflow<Args extends unknown[], Result>(
      workflow: (...args: Args) => Promise<Result>,
      options: { readonly name: string },
    ): (...args: Args) => Promise<Result>;
    runStep<Result>(step: () => Promise<Result>, options: { readonly name: string }): Promise<Result>;
    startWorkflow<Args extends unknown[], Result>(
      workflow: (...args: Args) => Promise<Result>,
    ): (...args: Args) => Promise<{ getResult(): Promise<Result> }>;
    setConfig(config: { name: string; systemDatabaseUrl: string; logLevel: string }): void;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
  };
}

declare module '@temporalio/client' {
  export class Connection {
    static connect(options: { address: string }): Promise<Connection>;
    close(): Promise<void>;
  }
  export class Client {
    constructor(options: { connection: Connection });
    readonly workflow: {
      execute<Workflow extends (...args: never[]) => Promise<unknown>>(
        name: string,
        options: { taskQueue: string; workflowId: string; args: Parameters<Workflow> },
      ): ReturnType<Workflow>;
    };
  }
}

declare module '@temporalio/worker' {
  type Log = (message: string, meta?: unknown) => void;
  export const Runtime: {
    install(options: { logger: { log: Log; trace: Log; debug: Log; info: Log; warn: Log; error: Log } }): unknown;
  };
  export class NativeConnection {
    static connect(options: { address: string }): Promise<NativeConnection>;
    close(): Promise<void>;
  }
  export class Worker {
    static create(options: {
      connection: NativeConnection;
      taskQueue: string;
      workflowsPath: string;
      activities: object;
    }): Promise<Worker>;
    run(): Promise<void>;
    shutdown(): void;
  }
}

declare module '@temporalio/workflow' {
  export function proxyLocalActivities<Activities>(options: { startToCloseTimeout: string }): Activities;
}

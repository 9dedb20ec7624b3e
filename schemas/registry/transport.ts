/** One question to a registry, and its answer as it came. */
export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query, such as `/subjects/orders-value/versions?deleted=true`; parts are percent-encoded. */
  readonly path: string;
  readonly body?: unknown;
}

export interface RestAnswer {
  readonly status: number;
  /** `undefined` where it was no JSON. */
  readonly body: unknown;
}

/** Asks once. What it throws is a {@link TransportFailure} where asking again may help or where it names a cure. */
export type Transport = (request: RestRequest, signal: AbortSignal) => Promise<RestAnswer>;

export type TransportFault = 'unreachable' | 'security';

/** Nobody has answered. */
export class TransportFailure extends Error {
  readonly fault: TransportFault;

  constructor(fault: TransportFault, message: string) {
    super(message);
    this.name = 'TransportFailure';
    this.fault = fault;
  }
}

export const REST_TYPE = 'application/vnd.schemaregistry.v1+json';

import type { Clock } from '../core/clock.ts';
import type { Projections } from '../projections/projections.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Workflows } from '../workflows/workflows.ts';

/**
 * The HTTP interface of workflows: fastify, OpenAPI 3.1 made of the schemas that judge requests, problem details
 * (RFC 9457) for every error, live events by WebSocket and by Server-Sent Events.
 *
 * - Definitions: `POST /v1/definitions` (publish), `POST /v1/definitions/validate`, `GET /v1/definitions`,
 *   `GET /v1/definitions/{id}`, with `?version=` and what its ports declare, by schema id; `GET /v1/node-types`.
 * - Executions: `POST /v1/executions` (with an `Idempotency-Key`), `GET /v1/executions` (list and search, by the read
 *   side), `GET /v1/executions/{id}`, and below it `history`, `at/{seq}`, `nodes/{node}/explain`; as `POST` below it
 *   `cancel`, `pause`, `resume`, `signals/{name}`, `retry`, `nodes/{node}/intervene`, `patch`, `fork`.
 * - `GET /v1/outputs/{reference}`: the value that an event refers to, whole.
 * - `GET /v1/schedules`, `POST /v1/schedules/{workflow}/backfill`.
 * - `POST /v1/approvals/{token}`.
 * - `GET /v1/dead-letters` (of all kinds, filtered), `GET /v1/dead-letters/{id}` (with `?raw=true` as it came),
 *   `POST /v1/dead-letters/{id}/redrive` (as it was, or changed), `POST /v1/dead-letters/redrive` (many, or a preview).
 * - `GET /v1/events` as Server-Sent Events (`Last-Event-ID` goes on), `GET /v1/events/socket` as WebSocket; filtered by
 *   workflow, execution, node and type before anything is serialised; each message carries the cursor behind it.
 * - `GET /openapi.json`, `/healthz`, `/readyz`, `/metrics`.
 *
 * Of every route but those last it is described what it answers, by status, and that it fails with problem details. The
 * schemas of answers describe and do not serialise: what a handler gives is sent whole, and tests hold it to them.
 *
 * Every process that serves workflows over one log answers for every execution, whoever owns it; health and metrics are of
 * the process that is asked.
 *
 * Bound to the loopback. A public address is refused without an API key (`gateway.unprotected`); where there are keys,
 * every request but for health needs `Authorization: Bearer <key>`, and the name of the key is written into the audit.
 * A browser's page of another origin is refused. Bodies are at most 1 MiB. A client that does not read is closed with a
 * reason when {@link MOST_UNREAD_BYTES} wait for it, and loses nothing: it goes on from its cursor.
 */
export interface GatewayOptions {
  readonly workflows: Workflows;
  /** Without: lists answer 503 with the reason. */
  readonly projections: Projections | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Keys that open the door. At least 24 characters each. */
  readonly apiKeys?: readonly ApiKey[];
  /** Whether it runs as it should; default: it does. */
  readonly health?: () => {
    readonly ready: boolean;
    readonly degraded: string | undefined;
    readonly ill: string | undefined;
  };
}

export interface ApiKey {
  /** Written into audits. */
  readonly name: string;
  readonly key: string;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** Ends streams with a reason, and waits for requests in hand, for five seconds at most. */
  close(): Promise<void>;
}

export const MOST_BODY_BYTES = 1024 * 1024;
export const MOST_UNREAD_BYTES = 1024 * 1024;
export const HEARTBEAT_MS = 15_000;

export { openGateway } from './open-gateway.ts';

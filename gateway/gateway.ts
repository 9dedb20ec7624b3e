import type { Projections } from '../projections/projections.ts';
import type { Workflows } from '../workflows/workflows.ts';

/**
 * The HTTP interface of workflows: fastify, OpenAPI 3.1 made of the schemas that judge requests, problem details
 * (RFC 9457) for every error, live events by WebSocket and by Server-Sent Events.
 *
 * - Definitions: `POST /v1/definitions` (publish), `POST /v1/definitions/validate`, `GET /v1/definitions`,
 *   `GET /v1/definitions/{id}[/{version}]`.
 * - Executions: `POST /v1/executions` (with an `Idempotency-Key`), `GET /v1/executions` (list and search, by the read
 *   side), `GET /v1/executions/{id}`, `.../history`, `.../at/{seq}`, `.../nodes/{node}/explain`, and as `POST` below it:
 *   `cancel`, `pause`, `resume`, `signals/{name}`, `retry`, `nodes/{node}/intervene`, `patch`, `fork`.
 * - `POST /v1/approvals/{token}`, `GET /v1/dead-letters`, `POST /v1/dead-letters/{id}/redrive`.
 * - `GET /v1/events` as Server-Sent Events (`Last-Event-ID` goes on), `GET /v1/events/socket` as WebSocket; filtered by
 *   workflow, execution, node and type before anything is serialised; each message carries the cursor behind it.
 * - `GET /openapi.json`, `/healthz`, `/readyz`, `/metrics`.
 *
 * Bound to the loopback. A public address is refused without an API key (`gateway.unprotected`), and then every request
 * but health needs `Authorization: Bearer`. Bodies are at most 1 MiB, sockets send at most 64 KiB. A client that does not
 * read is closed with a reason, and loses nothing: it goes on from its cursor.
 */
export interface GatewayOptions {
  readonly workflows: Workflows;
  readonly projections: Projections | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Keys that open the door, with the name that is written into audits. */
  readonly apiKeys?: readonly { readonly name: string; readonly key: string }[];
}

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

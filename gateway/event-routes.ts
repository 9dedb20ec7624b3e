import type { FastifyInstance } from 'fastify';
import { messageOf } from '../core/errors.ts';
import {
  cursorText,
  type EventType,
  type FeedCursor,
  type FeedFilter,
  type NamedEvent,
  readCursor,
} from '../events/events.ts';
import { redactText } from '../telemetry/telemetry.ts';
import { EVENT_STREAM, PROBLEMS, SOCKET } from './answer-schemas.ts';
import { type GatewayOptions, HEARTBEAT_MS, MOST_UNREAD_BYTES } from './gateway.ts';
import { EVENTS } from './request-schemas.ts';

interface EventQuery {
  readonly workflow?: string;
  readonly execution?: string;
  readonly node?: string;
  readonly types?: string;
  readonly from?: string;
}

const CLOSE_GOING = 1001;
const CLOSE_SLOW = 4408;
const CLOSE_FAILED = 1011;

/** What a client is sent over, whichever way. */
interface Wire {
  /** Bytes that it has not taken yet. */
  readonly unread: number;
  event(event: NamedEvent, cursor: FeedCursor): void;
  beat(): void;
  close(code: number, reason: string): void;
}

/** Live events, resumable by their cursors. */
export function eventRoutes(scope: FastifyInstance, options: GatewayOptions, ended: AbortSignal): void {
  const tags = ['events'];
  scope.get<{ Querystring: EventQuery }>('/v1/events', {
    schema: {
      tags,
      summary: 'Live events as Server-Sent Events; `Last-Event-ID` goes on behind one',
      querystring: EVENTS,
      response: { 200: EVENT_STREAM, ...PROBLEMS },
    },
    handler(request, reply) {
      const last = request.headers['last-event-id'];
      const from = typeof last === 'string' && last !== '' ? readCursor(last) : fromOf(request.query);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      raw.write(': welcome\n\n');
      const wire: Wire = {
        get unread() {
          return raw.writableLength;
        },
        event: (event, cursor) =>
          void raw.write(`id: ${cursorText(cursor)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
        beat: () => void raw.write(': beat\n\n'),
        close(_, reason) {
          raw.end(`event: closed\ndata: ${JSON.stringify({ reason })}\n\n`);
          if (raw.writableLength > MOST_UNREAD_BYTES) raw.destroy();
        },
      };
      const stop = follow(options, filterOf(request.query), from, wire, ended);
      raw.once('close', stop);
    },
  });
  scope.get<{ Querystring: EventQuery }>(
    '/v1/events/socket',
    {
      websocket: true,
      schema: {
        tags,
        summary: 'Live events over a WebSocket, a JSON message each',
        querystring: EVENTS,
        response: { 101: SOCKET, ...PROBLEMS },
      },
      // the plugin hides what it serves
      config: { swaggerTransform: ({ schema, url }) => ({ schema: { ...schema, hide: false }, url }) },
    },
    (socket, request) => {
      const wire: Wire = {
        get unread() {
          return socket.bufferedAmount;
        },
        event: (event, cursor) => socket.send(`{"cursor":"${cursorText(cursor)}","event":${JSON.stringify(event)}}`),
        beat: () => socket.ping(),
        close(code, reason) {
          socket.close(code, reason.slice(0, 120));
          if (socket.bufferedAmount > MOST_UNREAD_BYTES) socket.terminate();
        },
      };
      const stop = follow(options, filterOf(request.query), fromOf(request.query), wire, ended);
      socket.once('close', stop);
      socket.on('error', () => socket.terminate());
    },
  );
}

/** Hands events on until the client has gone, does not read, or the door is closed. */
function follow(
  { workflows, clock }: GatewayOptions,
  filter: FeedFilter,
  from: FeedCursor | undefined,
  wire: Wire,
  ended: AbortSignal,
): () => void {
  let open = true;
  const close = (code: number, reason: string) => {
    if (!open) return;
    stop();
    wire.close(code, reason);
  };
  const subscription = workflows.feed.events(filter, from, (event, cursor) => {
    if (!open) return;
    wire.event(event, cursor);
    if (wire.unread > MOST_UNREAD_BYTES) {
      close(
        CLOSE_SLOW,
        'you do not read as fast as events come; connect again and go on from the last cursor that you have',
      );
    }
  });
  subscription.ended.then(
    () => close(CLOSE_GOING, 'the feed has ended'),
    (thrown) => close(CLOSE_FAILED, redactText(messageOf(thrown))),
  );
  const going = () =>
    close(CLOSE_GOING, 'the gateway is closing; connect again and go on from the last cursor that you have');
  ended.addEventListener('abort', going, { once: true });
  let calm: () => void = () => undefined;
  const beat = () => {
    wire.beat();
    calm = clock.after(HEARTBEAT_MS, beat);
  };
  const stop = () => {
    open = false;
    calm();
    ended.removeEventListener('abort', going);
    subscription.close();
  };
  calm = clock.after(HEARTBEAT_MS, beat);
  return () => {
    if (open) stop();
  };
}

function filterOf({ workflow, execution, node, types }: EventQuery): FeedFilter {
  return {
    ...(workflow === undefined ? {} : { workflow }),
    ...(execution === undefined ? {} : { execution }),
    ...(node === undefined ? {} : { node }),
    ...(types === undefined ? {} : { types: types.split(',') as EventType[] }),
  };
}

function fromOf({ from }: EventQuery): FeedCursor | undefined {
  return from === undefined ? undefined : readCursor(from);
}

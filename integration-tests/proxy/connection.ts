import { connect, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { failedAnswer } from './failed-answer.ts';
import { correlationOf, type Frame, requestFrame, Splitter } from './frames.ts';
import { Lane } from './lane.ts';
import type { ActiveRule, Direction } from './rules.ts';

export interface ConnectionParts {
  readonly client: Socket;
  readonly broker: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  /** The first rule that acts on this frame. */
  rule(direction: Direction, broker: number, frame: Frame): ActiveRule | undefined;
  count(direction: Direction, frame: Frame): void;
  closed(): void;
}

/** How long a broker may take to answer requests whose client has left. */
const LATE_ANSWER_MS = 10_000;

/**
 * A client's connection and the one to the broker behind it. When the client leaves, requests that are held back still
 * reach the broker when their time comes, as packets do that were on their way.
 */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #upstream: Socket;
  readonly #requests: Lane;
  readonly #answers: Lane;
  /** Requests in the order sent, with the proxy's own answer where the broker does not see them. */
  readonly #pending: { readonly frame: Frame; own: Buffer | undefined }[] = [];
  /** Frames that wait for the one behind them. */
  readonly #swapped: { [direction in Direction]: Buffer[] } = { request: [], answer: [] };
  #delayed = 0;
  #clientGone = false;
  #silent = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { client, target } = parts;
    this.#upstream = connect(target.port, target.host);
    this.#requests = new Lane(client, this.#upstream);
    this.#answers = new Lane(this.#upstream, client);
    const fromClient = new Splitter();
    const fromBroker = new Splitter();
    client.setNoDelay();
    this.#upstream.setNoDelay();
    client.on('data', (chunk) => {
      if (!this.#silent) for (const bytes of fromClient.push(chunk)) this.#request(requestFrame(bytes));
    });
    this.#upstream.on('data', (chunk) => {
      if (!this.#silent) for (const bytes of fromBroker.push(chunk)) this.#answer(bytes);
    });
    client.on('error', () => {});
    this.#upstream.on('error', () => {});
    client.on('close', () => {
      this.#clientGone = true;
      this.#finish();
      if (!this.#silent) parts.clock.after(LATE_ANSWER_MS, () => this.#isIdle && this.#upstream.destroy());
    });
    this.#upstream.on('close', () => {
      if (this.#silent) return;
      this.#answers.mark(() => client.destroySoon());
      parts.closed();
    });
  }

  get isOpen(): boolean {
    return !this.#upstream.destroyed || !this.#parts.client.destroyed;
  }

  /** Carries nothing any more, and stays open. */
  silence(): void {
    this.#silent = true;
    this.#requests.silence();
    this.#answers.silence();
  }

  cut(): void {
    this.#parts.client.destroy();
    this.#upstream.destroy();
  }

  cutClient(): void {
    this.#parts.client.destroy();
  }

  #request(frame: Frame): void {
    const { broker } = this.#parts;
    this.#parts.count('request', frame);
    const active = this.#parts.rule('request', broker, frame);
    const action = active?.rule.action;
    if (action?.do === 'fail') {
      this.#pending.push({ frame, own: failedAnswer(frame, action.error) });
      this.#ownAnswers();
      return;
    }
    const isLost = action?.do === 'drop' || (action?.do === 'cut' && action.deliver !== true);
    if (!isLost) this.#pending.push({ frame, own: undefined });
    if (action?.do === 'repeat') {
      const again = active!.hold(() => this.#repeat(frame));
      if (action.afterMs !== undefined) this.#parts.clock.after(action.afterMs, again);
    }
    this.#carry('request', this.#requests, frame.bytes, active);
  }

  #answer(bytes: Buffer): void {
    const correlation = correlationOf(bytes);
    const at = this.#pending.findIndex(({ frame }) => frame.correlation === correlation);
    if (at < 0) return;
    const { frame } = this.#pending.splice(at, 1)[0]!;
    this.#parts.count('answer', frame);
    this.#carry('answer', this.#answers, bytes, this.#parts.rule('answer', this.#parts.broker, frame));
    this.#ownAnswers();
    this.#finish();
  }

  /** Lets a frame go on its way, as the rule says. */
  #carry(direction: Direction, lane: Lane, bytes: Buffer, active: ActiveRule | undefined): void {
    const { clock } = this.#parts;
    const action = active?.rule.action;
    if (action?.do === 'hold') {
      const unblock = lane.block();
      const go = active!.hold(unblock);
      if (action.forMs !== undefined) clock.after(action.forMs, go);
    } else if (action?.do === 'delay') {
      this.#delayed++;
      const go = active!.hold(() => {
        this.#delayed--;
        lane.send(bytes);
        this.#finish();
      });
      if (action.forMs !== undefined) clock.after(action.forMs, go);
      return;
    } else if (action?.do === 'swap') {
      this.#swapped[direction].push(bytes);
      return;
    } else if (action?.do === 'silence') {
      this.silence();
      return;
    } else if (action?.do === 'cut') {
      this.#cutBehind(direction, lane, bytes, action.deliver === true);
      return;
    } else if (action?.do === 'drop') return;
    lane.send(bytes);
    for (const earlier of this.#swapped[direction].splice(0)) lane.send(earlier);
    lane.mark(() => this.#finish());
  }

  #cutBehind(direction: Direction, lane: Lane, bytes: Buffer, deliver: boolean): void {
    const { client } = this.#parts;
    if (deliver) lane.send(bytes);
    lane.mark(() => {
      if (direction === 'answer' && deliver) client.destroySoon();
      else client.destroy();
    });
  }

  /** The same request once more, by itself; nobody waits for its answer. */
  #repeat(frame: Frame): void {
    const { target, clock } = this.#parts;
    const socket = connect(target.port, target.host, () => socket.write(frame.bytes));
    const giveUp = clock.after(LATE_ANSWER_MS, () => socket.destroy());
    socket.on('data', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', giveUp);
  }

  /** Sends the proxy's own answers whose turn has come: all earlier requests are answered. */
  #ownAnswers(): void {
    for (;;) {
      const own = this.#pending[0]?.own;
      if (own === undefined) return;
      this.#pending.shift();
      this.#answers.send(own);
    }
  }

  /** Leaves the broker when the client has left and all that it sent has been delivered and answered. */
  #finish(): void {
    if (this.#clientGone && !this.#silent && this.#isIdle && this.#pending.length === 0) this.#upstream.end();
  }

  /** Nothing is held back on the way to the broker. */
  get #isIdle(): boolean {
    return this.#delayed === 0 && this.#requests.waiting === 0;
  }
}

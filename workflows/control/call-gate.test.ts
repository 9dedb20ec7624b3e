import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { CallGate } from './call-gate.ts';

const SETTINGS = { groupAfter: 2, groupOf: 3, aloneAfter: 3 };
const NEVER = new AbortController().signal;

interface Guest {
  readonly name: string;
  readonly stop: AbortController;
  leave?: () => void;
}

class Room {
  readonly #gate = new CallGate(SETTINGS);
  readonly inside: Guest[] = [];

  come(name: string, lost: number): Guest {
    const guest: Guest = { name, stop: new AbortController() };
    this.#gate.enter(lost, guest.stop.signal).then(
      (leave) => {
        this.inside.push(guest);
        guest.leave = leave;
      },
      () => undefined,
    );
    return guest;
  }

  async go(guest: Guest): Promise<void> {
    this.inside.splice(this.inside.indexOf(guest), 1);
    guest.leave!();
    await systemClock.turn();
  }

  async names(): Promise<string> {
    await systemClock.turn();
    return this.inside.map(({ name }) => name).join(' ');
  }
}

test('what has lost no process is never held back, what has lost one waits for none of its like', async () => {
  const room = new Room();
  for (const name of 'abcdef') room.come(name, 1);
  const alone = room.come('g', 3);
  assert.equal(await room.names(), 'a b c d e f');
  room.come('free', 0);
  assert.equal(await room.names(), 'a b c d e f free');
  for (const guest of room.inside.slice(0, 6)) await room.go(guest);
  assert.equal(await room.names(), 'free g');
  room.come('h', 1);
  assert.equal(await room.names(), 'free g');
  await room.go(alone);
  assert.equal(await room.names(), 'free h');
});

test('so many run in a group, in the order in which they came, and nobody overtakes who is to run alone', async () => {
  const room = new Room();
  const [a, b] = [room.come('a', 2), room.come('b', 2)];
  room.come('c', 1);
  room.come('d', 2);
  const alone = room.come('e', 4);
  room.come('f', 1);
  assert.equal(await room.names(), 'a b c');
  await room.go(a);
  assert.equal(await room.names(), 'b c d');
  await room.go(b);
  await room.go(room.inside[0]!);
  await room.go(room.inside[0]!);
  assert.equal(await room.names(), 'e');
  await room.go(alone);
  assert.equal(await room.names(), 'f');
});

test('who is given up while it waits keeps nobody waiting', async () => {
  const room = new Room();
  const [a, b] = [room.come('a', 3), room.come('b', 3)];
  room.come('c', 1);
  assert.equal(await room.names(), 'a');
  b.stop.abort(new Error('given up'));
  await room.go(a);
  assert.equal(await room.names(), 'c');
  await assert.rejects(new CallGate(SETTINGS).enter(1, AbortSignal.abort(new Error('no'))), /no/);
  assert.equal(typeof (await new CallGate(SETTINGS).enter(0, NEVER)), 'function');
});

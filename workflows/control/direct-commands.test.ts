import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepRecord } from '../../events/events.ts';
import type { Mailbox, MailboxOwner } from '../../operators/operators.ts';
import { DirectCommands, type Sent } from './direct-commands.ts';
import type { CommandMessage } from './messages.ts';

function stepOf(id: string, seq: number): StepRecord {
  const cause = { kind: 'command', type: 'pause', id, by: null } as const;
  return { execution: 'one', seq, revision: 0, definition: '', at: 0, cause, events: [] };
}

/** A coordinator of partition 0 that gives back what `lacks` says. */
function world(lacks: ReadonlySet<string> = new Set()) {
  const logged: string[] = [];
  const taken: string[] = [];
  const told: number[] = [];
  let decided = 0;
  const direct = new DirectCommands({
    toLog: ({ id }) => void logged.push(id),
    told: ({ taken }) => void told.push(taken.seq),
  });
  let owner!: MailboxOwner<CommandMessage>;
  let waiting: (() => void)[] | undefined;
  const mailbox: Mailbox<CommandMessage> = {
    post: (message, at) =>
      waiting === undefined ? owner.take(message, at) : waiting.push(() => owner.take(message, at)),
  };
  /** Messages are taken behind all that is done here. */
  const late = <T>(work: () => T): T => {
    waiting = [];
    const done = work();
    for (const take of waiting) take();
    waiting = undefined;
    return done;
  };
  const context = {
    partition: 0,
    mailbox<M>(given: MailboxOwner<M>) {
      owner = given as MailboxOwner<never>;
    },
  };
  direct.listen(context, ({ id }, sender) => {
    if (lacks.has(id)) sender.giveBack();
    else taken.push(id);
    sender.decided(stepOf(id, ++decided));
  });
  const send = (id: string, more: Partial<Sent> = {}): Sent => {
    const message: CommandMessage = { x: 'one', c: { type: 'pause' }, id };
    const sent = { id, root: 'one', partition: 0, message, characters: 12, at: 5, isKept: false, ...more };
    direct.send(sent);
    return sent;
  };
  return {
    direct,
    told,
    logged,
    taken,
    send,
    late,
    open: () => owner.opened(mailbox),
    close: () => owner.closed(),
    owner: () => owner,
  };
}

test('a command goes to the coordinator of its partition, and over the log where there is none here', () => {
  const { send, open, close, logged, taken, direct } = world();
  direct.over(send('before'));
  open();
  send('here');
  send('elsewhere', { partition: 1 });
  assert.deepEqual({ logged, taken }, { logged: ['before', 'elsewhere'], taken: ['here'] });
  close();
  direct.over(send('behind'));
  assert.deepEqual(logged, ['before', 'elsewhere', 'here', 'behind']);
});

test('what was answered does not come again; what was not does, in order, when its coordinator goes', () => {
  const { send, open, close, logged, direct } = world();
  open();
  const [first] = [send('1'), send('2'), send('3')];
  direct.over(first!);
  close();
  assert.deepEqual(logged, ['2', '3']);
});

test('none overtakes one that is on its way over the log', () => {
  const { send, open, logged, taken, direct } = world(new Set(['lacking']));
  open();
  const lacking = send('lacking');
  const next = send('next');
  assert.deepEqual({ logged, taken }, { logged: ['lacking', 'next'], taken: [] });
  direct.over(lacking);
  send('third');
  direct.over(next);
  assert.deepEqual(taken, []);
  direct.over({ partition: 0, id: 'third' });
  send('fourth');
  assert.deepEqual({ logged, taken }, { logged: ['lacking', 'next', 'third'], taken: ['fourth'] });
});

test('what was posted behind a command that goes back does so too', () => {
  const { send, open, late, logged, taken, direct } = world(new Set(['lacking']));
  open();
  const sent = late(() => ['first', 'lacking', 'next'].map((id) => send(id)));
  assert.deepEqual({ logged, taken }, { logged: ['lacking', 'next'], taken: ['first'] });
  for (const each of sent) direct.over(each);
  send('fourth');
  assert.deepEqual(taken, ['first', 'fourth']);
});

test('what fails in the coordinator, and what is large, goes over the log', () => {
  const { send, open, owner, logged, taken } = world();
  open();
  send('failing');
  owner().refuse({ x: 'one', c: { type: 'pause' }, id: 'failing' });
  owner().refuse({ x: 'one', c: { type: 'pause' }, id: 'failing' });
  assert.deepEqual(logged, ['failing']);
  send('large', { characters: 100_000 });
  assert.deepEqual({ logged, taken }, { logged: ['failing', 'large'], taken: ['failing'] });
});

test('who sent a command is told of the step that stands, when it is committed, and not where it is lost', () => {
  const { send, open, close, owner, told, logged, direct } = world();
  open();
  const [first, again, lost, refused] = ['first', 'again', 'lost', 'refused'].map((id) => send(id).message);
  const kept = send('kept', { isKept: true });
  // its step was undone
  owner().take(again!, 5);
  owner().committed!(first!);
  owner().committed!(again!);
  owner().committed!(first!);
  owner().committed!(kept.message);
  direct.over(kept);
  assert.deepEqual(told, [1, 6]);
  owner().refuse(refused!);
  owner().committed!(refused!);
  close();
  owner().committed!(lost!);
  assert.deepEqual({ told, logged }, { told: [1, 6], logged: ['refused', 'first', 'again', 'lost'] });
});

test('what is done to a message shows neither when it is taken again nor in the log', () => {
  const logged: CommandMessage[] = [];
  const taken: string[] = [];
  const direct = new DirectCommands({ toLog: ({ message }) => void logged.push(message) });
  let owner!: MailboxOwner<CommandMessage>;
  const context = {
    partition: 0,
    mailbox<M>(given: MailboxOwner<M>) {
      owner = given as MailboxOwner<never>;
    },
  };
  direct.listen(context, (message) => {
    taken.push(JSON.stringify(message));
    Object.assign(message.c, { type: 'resume' });
  });
  const message: CommandMessage = { x: 'one', c: { type: 'pause' }, id: 'a' };
  // as often as the step that it is taken in fails
  owner.opened({
    post: (posted, at) => {
      owner.take(posted, at);
      owner.take(posted, at);
    },
  });
  direct.send({ id: 'a', root: 'one', partition: 0, message, characters: 12, at: 5, isKept: false });
  owner.closed();
  const given = { x: 'one', c: { type: 'pause' }, id: 'a' };
  assert.deepEqual({ taken, logged }, { taken: [JSON.stringify(given), JSON.stringify(given)], logged: [given] });
});

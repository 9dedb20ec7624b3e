import { FlowError } from '../../core/errors.ts';
import type {
  LetterChange,
  LetterKind,
  LetterQuery,
  Letters,
  LetterView,
  RedriveMany,
  RedrivenPage,
  ShownBytes,
  WholeLetter,
} from '../../workflows/workflows.ts';
import { columnsOf } from '../columns.ts';
import type { Call, Command } from '../command.ts';
import { withLetters } from '../letter-door.ts';
import { jsonOption, numberOption, pairsOption, timeOption } from '../parse.ts';
import type { World } from '../world.ts';

const KINDS: readonly string[] = ['command', 'node', 'record'] satisfies LetterKind[];
const MOST_IDS = 500;

export const deadLetters: Command = {
  name: 'dead-letters',
  parameters: '[list | show <id> | redrive [id...]]',
  about:
    'Lists and shows what was given up, commands, nodes and records, and does it again, each once. Of several, or of ' +
    'those that options choose, it shows what that would do; does it with --yes only.',
  words: { min: 0, max: MOST_IDS + 1 },
  options: {
    log: { about: 'Reads the log itself, where no workflows are served: records that applications have given up.' },
    kind: { value: 'kind', about: 'Only command, node or record.' },
    application: { value: 'name', about: 'Only of this application.' },
    workflow: { value: 'id', about: 'Only of this workflow.' },
    execution: { value: 'id', about: 'Only of this execution.' },
    node: { value: 'id', about: 'Only of this node.' },
    reason: { value: 'word', about: 'Only for this reason: exhausted, failed, undecodable, ...' },
    code: { value: 'code', about: 'Only with this error code.' },
    since: { value: 'time', about: 'Only given up then or later, such as 2026-01-31T12:00:00Z.' },
    before: { value: 'time', about: 'Only given up before.' },
    redriven: { about: 'With list: only those that were redriven.' },
    waiting: { about: 'With list: only those that were not.' },
    limit: { value: 'rows', about: 'At most so many at a time; default 50.' },
    after: { value: 'place', about: 'With list: goes on behind a page.' },
    records: {
      about: 'With list: each record as a line that produce takes with --key-serde bytes --value-serde bytes.',
    },
    raw: { about: 'With show: bytes as they came, as base64, with nothing hidden.' },
    value: { value: 'json', about: 'With redrive: sent in place of what was given up; of a node what arrives at it.' },
    'value-base64': { value: 'base64', about: 'The same of a record, as bytes.' },
    key: { value: 'text', about: 'With redrive of a record: its key, which says the partition.' },
    'key-base64': { value: 'base64', about: 'The same, as bytes.' },
    timestamp: { value: 'time', about: 'With redrive of a record: its time, or now.' },
    header: { value: 'name=text', about: 'With redrive of a record: its headers; may be given several times.' },
    again: { about: 'With redrive: also where it was redriven before.' },
    id: { value: 'text', about: 'With redrive --again: the same one twice is once.' },
    yes: { about: 'With redrive of several: does it.' },
  },
  run(call, world) {
    const [action = 'list', ...words] = call.words;
    if (action === 'list' && words.length === 0)
      return withLetters(call, world, (letters) => list(letters, call, world));
    if (action === 'show' && words.length === 1) {
      return withLetters(call, world, (letters) => show(letters, words[0]!, call, world));
    }
    if (action === 'redrive' && words.length === 1) {
      const change = changeOf(call, world);
      return withLetters(call, world, (letters) => redriveOne(letters, words[0]!, change, call, world));
    }
    if (action === 'redrive') {
      const { timestamp, headers, ...own } = changeOf(call, world) ?? {};
      if (Object.keys(own).length > 0 || call.option('again') !== undefined) {
        throw wrong('another key or value, and --again, go with one id');
      }
      const change = {
        ...(timestamp === undefined ? {} : { timestamp }),
        ...(headers === undefined ? {} : { headers }),
      };
      return withLetters(call, world, (letters) => redriveMany(letters, { ids: words, change }, call, world));
    }
    throw wrong(`${action} takes ${action === 'show' ? 'one id' : 'nothing else, or is no action'}`);
  },
};

async function list(letters: Letters, call: Call, world: World): Promise<number> {
  const isRedriven = call.option('redriven') !== undefined;
  if (isRedriven && call.option('waiting') !== undefined) throw wrong('--redriven and --waiting leave nothing over');
  const redriven = isRedriven ? true : call.option('waiting') === undefined ? undefined : false;
  const query = { ...queryOf(call), ...(redriven === undefined ? {} : { redriven }) };
  const { rows, next } = await letters.deadLetters(query);
  if (call.option('records') !== undefined) {
    for (const { id, kind } of rows) {
      if (kind === 'record') world.out(recordLine(await letters.deadLetter(id, { raw: true })));
    }
  } else if (call.json) for (const row of rows) world.out(JSON.stringify(row));
  else for (const line of columnsOf(COLUMNS, rows.map(shownRow))) world.out(line);
  if (next !== null) world.err(`there are more: --after ${next}`);
  return 0;
}

const COLUMNS = ['id', 'kind', 'at', 'from', 'of', 'code', 'message', 'redriven'];
const LONGEST_MESSAGE = 60;

function shownRow(view: LetterView) {
  const { id, kind, at, code, reason, message, redrives, redriven, from } = view;
  return {
    ...{ id, kind, at: timeOf(at), from: from === null ? undefined : placeOf(from), of: ofWhat(view) },
    code: redrives > 0 ? `${code ?? reason} (again, ${redrives})` : (code ?? reason),
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message,
    redriven: redriven === null ? undefined : `${timeOf(redriven.at)}${byOf(redriven.by)}`,
  };
}

function ofWhat({ execution, application, node, iteration }: LetterView): string {
  const at = iteration === '' ? node : `${node}[${iteration}]`;
  return [execution ?? application, at].filter((part) => part !== null && part !== '').join(' ');
}

async function show(letters: Letters, id: string, call: Call, world: World): Promise<number> {
  const letter = await letters.deadLetter(id, { raw: call.option('raw') !== undefined });
  if (call.json) {
    world.out(JSON.stringify(letter));
    return 0;
  }
  const { kind, at, from, task, workflow, reason, code, message, redrives, redriven, record, input } = letter;
  world.out(`${id}: ${kind}, given up ${timeOf(at)}, ${reason}${letter.class === null ? '' : `, ${letter.class}`}`);
  world.out(`  ${code ?? reason}: ${message}`);
  world.out(
    `  of ${ofWhat(letter)}${workflow === null ? '' : ` (${workflow})`}${task === null ? '' : `, task ${task}`}`,
  );
  if (from !== null) world.out(`  read from ${placeOf(from)}`);
  if (redrives > 0) world.out(`  what it holds was redriven ${redrives} times before`);
  if (record !== null) {
    const { key, value, timestamp, headers, hidden, ofNode } = record;
    world.out(`  timestamp ${timeOf(timestamp)}${ofNode ? '; key and value as the node had them' : ''}`);
    world.out(`  key ${bytesText(key)}`);
    world.out(`  value ${bytesText(value)}`);
    for (const { name, value: text } of headers) world.out(`  header ${name} ${bytesText(text)}`);
    if (hidden.length > 0) world.out(`  headers left out, since they hold secrets: ${hidden.join(', ')}`);
  } else world.out(`  input ${JSON.stringify(input)}`);
  world.out(
    redriven === null
      ? '  not redriven'
      : `  redriven ${timeOf(redriven.at)}${byOf(redriven.by)}, ${redriven.times} times`,
  );
  return 0;
}

async function redriveOne(
  letters: Letters,
  id: string,
  change: LetterChange | undefined,
  call: Call,
  world: World,
): Promise<number> {
  const key = call.option('id');
  const done = await letters.redrive(id, {
    ...byHere(call, world),
    ...(change === undefined ? {} : { change }),
    ...(call.option('again') === undefined ? {} : { again: true }),
    ...(key === undefined ? {} : { id: key }),
  });
  if (call.json) {
    world.out(JSON.stringify(done));
    return 0;
  }
  const { existing, at, by, to, execution, seq } = done;
  const where = to === null ? '' : `: sent to ${placeOf(to)}`;
  const taken = seq === null ? '' : `; ${execution} took it in step ${seq}`;
  if (!existing) world.out(`${id} is redriven${where}${taken}`);
  else world.out(`${id} was redriven before, ${timeOf(at)}${byOf(by)}${where}; nothing was sent now`);
  return 0;
}

/** All pages of them, one after another: what was redriven is not among those that are waiting any more. */
async function redriveMany(
  letters: Letters,
  { ids, change }: { readonly ids: readonly string[]; readonly change: NonNullable<RedriveMany['change']> },
  call: Call,
  world: World,
): Promise<number> {
  const preview = call.option('yes') === undefined;
  const query = queryOf(call);
  const isAll = call.option('limit') === undefined;
  const counts = new Map<string, number>();
  for (let next: string | null | undefined; next !== null; ) {
    const page: RedrivenPage = await letters.redriveAll(
      {
        ...query,
        ...(isAll && ids.length === 0 ? { limit: MOST_IDS } : {}),
        ...(next === undefined ? {} : { after: next }),
      },
      {
        ...byHere(call, world),
        ...(ids.length === 0 ? {} : { ids }),
        ...(preview ? { preview } : {}),
        ...(Object.keys(change).length === 0 ? {} : { change }),
      },
    );
    for (const row of page.rows) {
      counts.set(row.outcome, (counts.get(row.outcome) ?? 0) + 1);
      world.out(call.json ? JSON.stringify(row) : outcomeLine(row));
    }
    next = isAll ? page.next : null;
    if (world.stop.aborted) break;
  }
  if (!call.json) {
    const told = [...counts].map(([outcome, count]) => `${count.toLocaleString('en-US')} ${outcome}`);
    world.out(told.length === 0 ? 'there is nothing to redrive' : told.join(', '));
    if (preview && counts.has('ready')) world.out('nothing was done yet; give the command again with --yes');
  }
  return !preview && counts.has('refused') ? 1 : 0;
}

function outcomeLine(row: RedrivenPage['rows'][number]): string {
  switch (row.outcome) {
    case 'refused':
      return `${row.id} refused: ${row.why}`;
    case 'ready':
      return `${row.id} ready: ${row.to === null ? 'its node begins again' : `to ${row.to.topic}/${row.to.partition}`}`;
    default:
      return `${row.id} ${row.outcome}${row.to === null ? '' : `: ${placeOf(row.to)}`}`;
  }
}

function queryOf(call: Call): LetterQuery {
  const kind = call.option('kind');
  if (kind !== undefined && !KINDS.includes(kind)) throw wrong(`--kind takes ${KINDS.join(', ')}, not ${kind}`);
  const limit = numberOption(call, 'limit');
  const query: { [name: string]: string } = {};
  for (const name of ['kind', 'application', 'workflow', 'execution', 'node', 'reason', 'code', 'after']) {
    const value = call.option(name);
    if (value !== undefined) query[name] = value;
  }
  const [since, until] = [timeOption(call, 'since'), timeOption(call, 'before')];
  return {
    ...(query as LetterQuery),
    ...(limit === undefined ? {} : { limit }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function changeOf(call: Call, world: World): LetterChange | undefined {
  const [value, valueBase64] = [call.option('value'), call.option('value-base64')];
  const [key, keyBase64] = [call.option('key'), call.option('key-base64')];
  const timestamp = call.option('timestamp') === 'now' ? world.clock.now() : timeOption(call, 'timestamp');
  const headers = pairsOption(call, 'header', (text) => wrong(`--header takes name=text, not ${text}`));
  const change: LetterChange = {
    ...(value === undefined ? {} : { value: jsonOption(call, 'value') }),
    ...(valueBase64 === undefined ? {} : { valueBase64 }),
    ...(key === undefined ? {} : { key }),
    ...(keyBase64 === undefined ? {} : { keyBase64 }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Who asks, where no key says so. */
function byHere(call: Call, world: World): { readonly by?: string } {
  const user = world.env['USER'] ?? world.env['USERNAME'];
  return call.option('log') === undefined || user === undefined ? {} : { by: user };
}

/** As `consume --json` prints a record whose key and value are bytes. */
function recordLine({ record }: WholeLetter): string {
  const { key, value, timestamp, headers } = record!;
  const texts = headers.map(
    ({ name, value: bytes }) =>
      [name, bytes === null ? null : Buffer.from(bytes.base64!, 'base64').toString()] as const,
  );
  const shown = { key: key?.base64 ?? null, value: value?.base64 ?? null, timestamp };
  return JSON.stringify(texts.length === 0 ? shown : { ...shown, headers: Object.fromEntries(texts) });
}

function bytesText(bytes: ShownBytes | null): string {
  if (bytes === null) return 'null';
  const { json, text, base64 } = bytes;
  if (base64 !== undefined) return base64;
  if (json !== undefined) return JSON.stringify(json);
  return text ?? `${bytes.bytes.toLocaleString('en-US')} bytes, no text: --raw has them as base64`;
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

function placeOf({ topic, partition, position }: { topic: string; partition: number; position: number }): string {
  return `${topic}/${partition} position ${position}`;
}

function byOf(by: string | null): string {
  return by === null ? '' : ` by ${by}`;
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `dead-letters: ${text}; see nodeflow help dead-letters`);
}

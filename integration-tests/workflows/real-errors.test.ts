import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openDatabase } from '../../database/database.ts';
import { createLanguage } from '../../workflows/workflows.ts';

const language = createLanguage();

async function classOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (thrown) {
    const { class: kind, code } = language.failure(thrown, '');
    return `${kind} ${code}`;
  }
  return 'nothing was thrown';
}

test('S5.1.a: what a database really throws is of the class that its code says', { timeout: 600_000 }, async () => {
  const database = await openDatabase({ directory: undefined });
  await database.query('create table things (id int primary key, name text not null, other int references things)');
  await database.query("insert into things values (1, 'a', null)");
  const rows: readonly (readonly [sql: string, expected: string])[] = [
    ["insert into things values (1, 'b', null)", 'PERMANENT pg.23505'],
    ["insert into things values (2, 'b', 7)", 'PERMANENT pg.23503'],
    ['insert into things values (2, null, null)', 'PERMANENT pg.23502'],
    ['select * from nothing', 'PERMANENT pg.42P01'],
    ['select nothing from things', 'PERMANENT pg.42703'],
    ['selekt 1', 'PERMANENT pg.42601'],
    ["select 'x'::int", 'PERMANENT pg.22P02'],
    ['select 1 / 0', 'PERMANENT pg.22012'],
    ['select nothing()', 'PERMANENT pg.42883'],
    ["do $$ begin raise exception 'no'; end $$", 'PERMANENT pg.P0001'],
    ["do $$ begin raise sqlstate '40001'; end $$", 'TRANSIENT pg.40001'],
    ["do $$ begin raise sqlstate '40P01'; end $$", 'TRANSIENT pg.40P01'],
    ["do $$ begin raise sqlstate '53300'; end $$", 'TRANSIENT pg.53300'],
    ["do $$ begin raise sqlstate '53100'; end $$", 'SYSTEM pg.53100'],
    ["do $$ begin raise sqlstate '42501'; end $$", 'USER pg.42501'],
  ];
  for (const [sql, expected] of rows) assert.equal(await classOf(() => database.query(sql)), expected, sql);
  await database.close();
});

test('S5.1.a: what the network really throws is of the class that its code says', { timeout: 600_000 }, async () => {
  const server = createServer((request, answer) => {
    if (request.url === '/cut') answer.socket!.destroy();
    else if (request.url === '/half')
      answer.writeHead(200, { 'content-length': '10' }).write('x', () => answer.socket!.destroy());
    // and else it never answers
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  assert.equal(await classOf(() => fetch(at('/cut'))), 'TRANSIENT UND_ERR_SOCKET');
  assert.equal(await classOf(async () => (await fetch(at('/half'))).text()), 'TRANSIENT UND_ERR_SOCKET');
  assert.equal(await classOf(() => fetch(at('/'), { signal: AbortSignal.timeout(20) })), 'TRANSIENT TimeoutError');
  assert.equal(await classOf(() => fetch('http://127.0.0.1:99999')), 'PERMANENT ERR_INVALID_URL');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await classOf(() => fetch(at('/'))), 'TRANSIENT ECONNREFUSED');
  const refused = () => new Promise((_, reject) => connect(port, '127.0.0.1').once('error', reject));
  assert.equal(await classOf(refused), 'TRANSIENT ECONNREFUSED');
  assert.match(await classOf(() => lookup('nobody.invalid')), /^(PERMANENT ENOTFOUND|TRANSIENT EAI_AGAIN)$/);
  assert.equal(await classOf(() => readFileSync('.')), 'PERMANENT EISDIR');
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KAFKA_VERSION } from '../cli/kafka/distribution.ts';

/** `docker/compose.yaml`, read without Docker: whether it can be parsed, and has what the documents promise. */
type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

/** The part of YAML that the file is written in: mappings by indentation, scalars and lists in brackets. Fails on others. */
function parse(text: string): Yaml {
  const lines = text
    .split('\n')
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== '' && !line.trim().startsWith('#'));
  let at = 0;
  const mapping = (indent: number): { readonly [key: string]: Yaml } => {
    const found: Record<string, Yaml> = {};
    while (at < lines.length) {
      const { line, number } = lines[at]!;
      const depth = line.length - line.trimStart().length;
      if (depth < indent) break;
      const [, key, rest] = /^ *([\w.-]+):(?: +(.*))?$/.exec(line) ?? [];
      assert.ok(key !== undefined && depth === indent, `line ${number} is no entry at depth ${indent}: ${line}`);
      assert.ok(!Object.hasOwn(found, key), `line ${number}: ${key} is there twice`);
      at++;
      const next = lines[at]?.line ?? '';
      const isNested = rest === undefined && next.startsWith(' '.repeat(indent + 2));
      found[key] = isNested ? mapping(indent + 2) : scalar(rest ?? '', number);
    }
    return found;
  };
  const all = mapping(0);
  assert.equal(at, lines.length);
  return all;
}

function scalar(text: string, number: number): Yaml {
  if (text.startsWith('[')) return JSON.parse(text) as Yaml;
  assert.ok(!/^["'{&*!|>%@`]|^- |: | #|\t/.test(text), `line ${number}: ${text} would have to be quoted`);
  return text;
}

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: string };
}

test('docker/compose.yaml has a broker, a database, a cache and a registry, each on the loopback address alone', () => {
  const text = readFileSync(new URL('../docker/compose.yaml', import.meta.url), 'utf8');
  const { services, volumes } = parse(text) as unknown as {
    readonly services: { readonly [name: string]: Service };
    readonly volumes: { readonly [name: string]: string };
  };
  assert.deepEqual(Object.keys(services).sort(), ['kafka', 'postgres', 'redis', 'registry']);
  for (const [name, { image, ports, volumes: used = [], healthcheck }] of Object.entries(services)) {
    assert.match(image, /^[\w./-]+:\d[\w.]*$/, `${name} has an image of a version`);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    for (const volume of used) assert.ok(Object.hasOwn(volumes, volume.split(':')[0]!), `${volume} of ${name}`);
    if (name !== 'registry') assert.ok(healthcheck?.test, `${name} is waited for`);
  }
  const { image, environment = {} } = services['kafka']!;
  assert.equal(image, `apache/kafka:${KAFKA_VERSION}`, 'the release that tests run on');
  assert.equal(environment['KAFKA_PROCESS_ROLES'], 'broker,controller', 'KRaft');
  assert.match(environment['KAFKA_ADVERTISED_LISTENERS']!, /EXTERNAL:\/\/127\.0\.0\.1:9092$/);
});

test('the reader of that file refuses what it does not understand', () => {
  for (const wrong of ['a: 1\na: 2', 'a:\n   b: 1', 'a:\n- b', '\ta: 1', 'a: b: c', 'a: [1', 'a b']) {
    assert.throws(() => parse(wrong), Error, wrong);
  }
  assert.deepEqual(parse('a:\n  b: x:1\n  c: ["d"]\ne:\n'), { a: { b: 'x:1', c: ['d'] }, e: '' });
});

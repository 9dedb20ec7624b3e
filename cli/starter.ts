/** The files of a starter project: words counted per minute, with a test. */
export function starterFiles(name: string, version: string): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', `${JSON.stringify(packageJson(name, version), null, 2)}\n`],
    ['topology.mjs', TOPOLOGY],
    ['topology.test.mjs', TEST],
    ['README.md', readme(name)],
    ['.gitignore', 'node_modules/\n.nodeflow/\n'],
  ]);
}

function packageJson(name: string, version: string) {
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=22.22' },
    scripts: {
      start: 'nodeflow run topology.mjs',
      describe: 'nodeflow describe topology.mjs',
      words: 'nodeflow consume words-per-minute --topology topology.mjs',
      test: 'node --test',
    },
    dependencies: { '@nodeflow/engine': version === 'unknown' ? '*' : `^${version}` },
  };
}

const TOPOLOGY = `import { generator, int64, json, string, topic, topology as define, tumbling, windowed } from '@nodeflow/engine';

export const lines = topic('lines', { key: string(), value: json(), partitions: 2 });
export const wordsPerMinute = topic('words-per-minute', {
  key: windowed(string(), 60_000),
  value: int64(),
  partitions: 2,
});

const VERSES = ['to be or not to be', 'that is the question', 'to sleep', 'to dream'];

export const topology = define('words');

// a bounded source of invented lines, one a second of event time; put your own in its place
topology
  .read(generator({ count: 600, make: (n) => ({ text: VERSES[n % VERSES.length], at: n * 1000 }) }), {
    name: 'verses',
    key: (line) => line.text,
    keySerde: string(),
    value: json(),
    time: (line) => line.at,
  })
  .to(lines);

topology
  .stream(lines)
  .flatMap((line) => line.text.split(' ').map((word) => [word, 1]))
  .repartition({ name: 'by-word', key: string(), value: int64(), partitions: 2 })
  .groupByKey()
  .window(tumbling({ minutes: 1 }))
  .count({ store: 'words' })
  .suppress()
  .toStream()
  .to(wordsPerMinute);
`;

const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopologyDriver } from '@nodeflow/engine/testing';
import { lines, topology, wordsPerMinute } from './topology.mjs';

test('counts words per minute', async () => {
  const driver = await TopologyDriver.open(topology);
  driver.input(lines).send('a', { text: 'to be or not to be' }, { timestamp: 1000 });
  driver.input(lines).send('a', { text: 'to' }, { timestamp: 61_000 });
  driver.input(lines).send('a', { text: 'end' }, { timestamp: 180_000 });
  const counts = driver.output(wordsPerMinute).read();
  const to = counts.filter(({ key }) => key.key === 'to').map(({ value }) => value);
  assert.ok(to.includes(2), 'twice in the first minute');
});
`;

function readme(name: string): string {
  return `# ${name}

A stream-processing topology for \`@nodeflow/engine\`.

    npm install
    npm test            # tests the topology with a virtual clock
    npm start           # runs it; the data lies in .nodeflow/
    npm run describe    # shows its stages, topics and stores
    npm run words       # prints the results
`;
}

import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { DocumentFault, WorkflowDocument } from '../../workflows/document.ts';
import {
  createLanguage,
  type Definition,
  describeGraph,
  diffDocuments,
  documentDiffLines,
  type Language,
} from '../../workflows/workflows.ts';
import type { Call, Command } from '../command.ts';
import { gatewayOf } from '../gateway-client.ts';
import { readJsonFile } from '../read-json-file.ts';
import type { World } from '../world.ts';

/** More than a document may hold is not read. */
const MAX_FILE_BYTES = 16_000_000;

type Action = (files: readonly string[], call: Call, world: World) => Promise<number> | number;

const ACTIONS: { readonly [name: string]: { readonly files: number; readonly run: Action } } = {
  validate: {
    files: 1,
    run([file], call, world) {
      const document = readDocument(file!, world);
      const faults = createLanguage().validate(document);
      if (call.json) world.out(JSON.stringify({ valid: faults.length === 0, faults }));
      else if (faults.length > 0) tell(faults, world);
      else {
        const { id, version } = document as unknown as WorkflowDocument;
        world.out(`${id} ${version} has no faults`);
      }
      return faults.length === 0 ? 0 : 2;
    },
  },
  describe: {
    files: 1,
    run([file], call, world) {
      const language = createLanguage();
      const graph = language.compile(soundDocument(file!, language, world));
      if (call.json) world.out(JSON.stringify({ hash: graph.hash, document: graph.document }));
      else for (const line of describeGraph(graph)) world.out(line);
      return 0;
    },
  },
  diff: {
    files: 2,
    run([old, now], call, world) {
      const language = createLanguage();
      const [from, to] = [old!, now!].map((file) => soundDocument(file, language, world));
      const diff = diffDocuments(from as unknown as WorkflowDocument, to as unknown as WorkflowDocument);
      if (call.json) world.out(JSON.stringify(diff));
      else for (const line of documentDiffLines(diff)) world.out(line);
      return 0;
    },
  },
  publish: {
    files: 1,
    async run([file], call, world) {
      const gateway = gatewayOf(call.config());
      const { id, version, hash } = await gateway.ask<Definition>(
        'POST',
        '/v1/definitions',
        readDocument(file!, world),
      );
      world.out(
        call.json ? JSON.stringify({ id, version, hash }) : `${id} ${version} is published, hash ${hash.slice(0, 16)}`,
      );
      return 0;
    },
  },
};

export const workflow: Command = {
  name: 'workflow',
  parameters: 'validate <file> | describe <file> | diff <old> <new> | publish <file>',
  about:
    'Judges workflow documents (exit code 2 where they have faults), tells them as text, compares two, and publishes one ' +
    'where workflows are served. Types of nodes of your own are known only there.',
  words: { min: 2, max: 3 },
  options: {},
  async run(call, world) {
    const [name = '', ...files] = call.words;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name]! : undefined;
    if (action !== undefined && files.length === action.files) return action.run(files, call, world);
    const takes =
      action === undefined
        ? `there is no action ${name}`
        : `${name} takes ${action.files === 1 ? 'one file' : 'two files'}`;
    throw new FlowError('option.unknown', `${takes}; see nodeflow help workflow`);
  },
};

/** A document as it lies in a file, whatever is wrong with it. */
function readDocument(file: string, world: World): Json {
  const path = resolve(world.cwd, file);
  if (!existsSync(path)) throw new FlowError('file.missing', `there is no file ${path}; check the path`);
  const { size } = statSync(path);
  if (size > MAX_FILE_BYTES)
    throw new FlowError('file.broken', `${path} has ${size} bytes: no workflow document is so large`);
  return readJsonFile(path) as Json;
}

/** A document without faults. */
function soundDocument(file: string, language: Language, world: World): Json {
  const document = readDocument(file, world);
  const faults = language.validate(document);
  if (faults.length === 0) return document;
  const lines = faults.map(({ pointer, message, cure }) => `\n  ${pointer || '/'}: ${message}. ${cure}`);
  throw new FlowError('workflow.invalid', `${file} has ${count(faults)}:${lines.join('')}`);
}

function tell(faults: readonly DocumentFault[], world: World): void {
  for (const { code, pointer, message, cure } of faults) {
    world.out(`${pointer || '/'}: ${message}`);
    world.out(`  ${cure} (${code})`);
  }
  world.out(count(faults));
}

function count({ length }: readonly DocumentFault[]): string {
  return `${length} fault${length === 1 ? '' : 's'}`;
}

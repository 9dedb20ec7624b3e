import type { Catalog } from './catalog.ts';
import type { DocumentFault } from './document.ts';
import { FaultList } from './faults.ts';
import { judgeSchema } from './judge-schema.ts';
import { lookUp } from './judged.ts';
import { readJson } from './read-json.ts';
import { judgeCycles } from './rule-cycles.ts';
import { judgeDocument } from './rule-document.ts';
import { judgeEdges } from './rule-edges.ts';
import { judgeExpressions } from './rule-expressions.ts';
import { judgeJoins } from './rule-joins.ts';
import { judgeLevels } from './rule-levels.ts';
import { judgeNodes } from './rule-nodes.ts';
import { judgeSchedules } from './rule-schedules.ts';
import { judgeSecrets } from './rule-secrets.ts';
import { judgeSessions } from './rule-sessions.ts';
import type { Expressions } from './scopes.ts';

export interface ValidateSettings {
  readonly catalog: Catalog;
  readonly expressions: Expressions;
}

/**
 * All that is wrong with what somebody gave as a document, each with its place and a cure. Takes anything, of any size
 * and shape, and answers in time that grows with its size alone.
 *
 * First it is copied as plain JSON within bounds; then held against the JSON Schema; and then the rules look at all parts
 * that the schema has nothing against, so that a misspelled field does not hide a circle elsewhere.
 */
export function validateDocument(given: unknown, { catalog, expressions }: ValidateSettings): readonly DocumentFault[] {
  const faults = new FaultList();
  const json = readJson(given, faults);
  if (json === undefined) return faults.all();
  const sound = judgeSchema(json, faults);
  const judged = lookUp(sound, catalog, expressions, faults);
  judgeNodes(judged);
  judgeLevels(judged);
  judgeEdges(judged);
  judgeCycles(judged);
  judgeJoins(judged);
  judgeExpressions(judged);
  judgeSecrets(judged);
  judgeDocument(judged);
  judgeSchedules(judged);
  judgeSessions(judged);
  return faults.all();
}

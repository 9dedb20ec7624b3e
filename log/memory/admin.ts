import type { GroupDescription, LogAdmin, LogReader } from '../log.ts';
import { scanSince } from '../since.ts';
import type { Topics } from './topics.ts';

interface AdminParts {
  readonly topics: Topics;
  request<T>(what: string, execute: () => T): Promise<T>;
  deleteTopic(topic: string): void;
  groups(names?: readonly string[]): readonly GroupDescription[];
  deleteGroup(group: string): void;
  setPositions(...args: Parameters<LogAdmin['setPositions']>): void;
  reader(): LogReader;
}

export function createAdmin(parts: AdminParts): LogAdmin {
  const { topics, request, deleteTopic, groups, deleteGroup, setPositions } = parts;
  const bounds: LogAdmin['bounds'] = (topic, partition) =>
    request(`bounds of ${topic}`, () => topics.partition(topic, partition).bounds());
  return {
    create: (topic, settings) => request(`creating ${topic}`, () => topics.create(topic, settings)),
    describe: (topic) => request(`describing ${topic}`, () => topics.describe(topic)),
    list: () => request('listing topics', () => topics.names()),
    delete: (topic) => request(`deleting ${topic}`, () => deleteTopic(topic)),
    alter: (topic, settings) => request(`altering ${topic}`, () => topics.alter(topic, settings)),
    deleteRecords: (topic, partition, before) =>
      request(`deleting records of ${topic}`, () => topics.partition(topic, partition).trim(before)),
    bounds,
    positionSince: async (topic, partition, timestamp) =>
      scanSince(() => parts.reader(), { topic, partition }, await bounds(topic, partition), timestamp),
    groups: (names) => request('listing groups', () => groups(names)),
    deleteGroup: (group) => request(`deleting group ${group}`, () => deleteGroup(group)),
    setPositions: (group, positions) =>
      request(`setting positions of group ${group}`, () => setPositions(group, positions)),
  };
}

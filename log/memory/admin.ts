import type { GroupDescription, LogAdmin } from '../log.ts';
import type { Topics } from './topics.ts';

interface AdminParts {
  readonly topics: Topics;
  request<T>(what: string, execute: () => T): Promise<T>;
  deleteTopic(topic: string): void;
  groups(): readonly GroupDescription[];
  deleteGroup(group: string): void;
}

export function createAdmin({ topics, request, deleteTopic, groups, deleteGroup }: AdminParts): LogAdmin {
  return {
    create: (topic, settings) => request(`creating ${topic}`, () => topics.create(topic, settings)),
    describe: (topic) => request(`describing ${topic}`, () => topics.describe(topic)),
    list: () => request('listing topics', () => topics.names()),
    delete: (topic) => request(`deleting ${topic}`, () => deleteTopic(topic)),
    alter: (topic, settings) => request(`altering ${topic}`, () => topics.alter(topic, settings)),
    deleteRecords: (topic, partition, before) =>
      request(`deleting records of ${topic}`, () => topics.partition(topic, partition).trim(before)),
    bounds: (topic, partition) => request(`bounds of ${topic}`, () => topics.partition(topic, partition).bounds()),
    groups: () => request('listing groups', groups),
    deleteGroup: (group) => request(`deleting group ${group}`, () => deleteGroup(group)),
  };
}

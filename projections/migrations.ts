/** Made once, in order; never changed after it was published: a change is a further one. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    name: '1 executions',
    statements: [
      `create table nf_executions (
        id text primary key,
        workflow text not null,
        version text not null,
        status text not null,
        degraded boolean not null,
        mode text not null,
        started_at bigint not null,
        ended_at bigint,
        by_user text,
        labels jsonb not null,
        counts jsonb not null,
        error jsonb,
        seq bigint not null,
        part integer not null,
        first_position bigint not null,
        last_position bigint not null,
        search tsvector not null
      )`,
      'create index nf_executions_newest on nf_executions (started_at desc, id desc)',
      'create index nf_executions_workflow on nf_executions (workflow, started_at desc, id desc)',
      'create index nf_executions_status on nf_executions (status, started_at desc, id desc)',
      'create index nf_executions_labels on nf_executions using gin (labels jsonb_path_ops)',
      'create index nf_executions_search on nf_executions using gin (search)',
      `create table nf_dead_letters (
        id text primary key,
        execution text not null,
        workflow text not null,
        node text not null,
        iteration text not null,
        at bigint not null,
        reason text not null,
        redriven boolean not null
      )`,
      'create index nf_dead_letters_newest on nf_dead_letters (at desc, id desc)',
      'create table nf_cursor (part integer primary key, position bigint not null)',
    ],
  },
  // dead letters are listed from the log, with those of commands and records
  { name: '2 no dead letters', statements: ['drop table nf_dead_letters'] },
];

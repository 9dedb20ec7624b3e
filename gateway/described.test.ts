import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { openGateway } from './gateway.ts';
import { described } from './testing/described.ts';
import { FakeWorkflows } from './testing/fake-workflows.ts';

interface Operation {
  readonly responses: { readonly [status: string]: { readonly content: object } };
}

async function opened(body: (fake: FakeWorkflows, url: string) => Promise<void>): Promise<void> {
  const fake = new FakeWorkflows();
  const parts = { projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 };
  const gateway = await openGateway({ workflows: fake.workflows, ...parts });
  try {
    await body(fake, gateway.url);
  } finally {
    await gateway.close();
  }
}

test('of every route it is described what it answers, and how it fails', () =>
  opened(async (_, url) => {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
    };
    assert.deepEqual(Object.keys(paths['/v1/events/socket']!['get']!.responses), ['101', '4XX', '5XX']);
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const what = `${method} ${path}`;
        assert.ok(
          Object.keys(responses).some((status) => /^(20[01]|101)$/.test(status)),
          what,
        );
        for (const { content } of Object.values(responses)) {
          for (const type of Object.values(content)) assert.ok(Object.keys(type.schema).length > 0, what);
        }
        for (const status of ['4XX', '5XX']) {
          assert.deepEqual(Object.keys(responses[status]!.content), ['application/problem+json'], what);
        }
      }
    }
  }));

test('a field that is not described is sent, and found by whoever holds answers to their description', () =>
  opened(async (fake, url) => {
    const api = await described(url);
    await assert.rejects(api.fetch('/v1/executions/e1'), /must have required property 'workflow'/);
    fake.view = { ...fake.view, odd: 1 };
    await assert.rejects(api.fetch('/v1/executions/e1'), /must NOT have additional properties.*"odd":1/);
  }));

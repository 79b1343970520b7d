/** The document as a whole, without a server: its form, its examples and that it is the table. */
import { readFileSync, readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../../engine/server/v1/openapi.ts';
import { routeTable } from '../../../../engine/server/v1/table.ts';
import { checkBody, checkParameters } from '../../../../engine/server/v1/validate.ts';

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema: object; example?: unknown }> };
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { schema: object }> }
  >;
}

const document = JSON.parse(
  JSON.stringify(openApiDocument(routeTable, { version: '1.2.3', token: true })),
) as {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** Every value under a key, anywhere in the document. */
function* valuesOf(key: string, value: unknown = document): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === key) yield member;
    yield* valuesOf(key, member);
  }
}

describe('the OpenAPI document', () => {
  it('holds every route of the table, and nothing else', () => {
    const told = operations.map(
      ({ method, path, operation }) => `${method} ${path} ${operation.operationId}`,
    );
    expect(told.sort()).toEqual(
      routeTable.map(({ method, path, id }) => `${method} ${path} ${id}`).sort(),
    );
  });

  it('has unique operation ids, known tags and texts', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).not.toBe('');
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
      for (const { description } of Object.values(operation.responses))
        expect(description).not.toBe('');
    }
  });

  it('refers to what is there, and holds nothing that is not referred to', () => {
    const references = [...valuesOf('$ref')].map(String);
    const names = Object.keys(document.components.schemas);
    for (const reference of references) {
      expect(names).toContain(/^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1]);
    }
    expect(names.filter((name) => !references.includes(`#/components/schemas/${name}`))).toEqual(
      [],
    );
    expect(names).toEqual(expect.arrayContaining(['Job', 'Problem', 'RunRequest', 'Queue']));
  });

  it('declares exactly the parameters that stand in its paths', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual(named);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it('has schemas that JSON Schema 2020-12 understands', () => {
    const ajv = new Ajv2020({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      validateFormats: false,
    });
    ajv.addSchema({ $id: 'api', components: document.components });
    ajv.addKeyword('components');
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` })).not.toThrow();
    }
  });

  it('leaves the health addresses open and nothing else', () => {
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path)).toEqual(['/healthz', '/readyz']);
  });

  it('tells of problems where there can be some', () => {
    for (const { method, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      if (operation.requestBody !== undefined) expect(statuses).toContain('400');
      if (method !== 'get') expect(statuses).toContain('429');
      for (const status of statuses.filter((code) => code === '404' || code === '409')) {
        expect(operation.responses[status].content).toHaveProperty(['application/problem+json']);
      }
    }
  });
});

describe('the schemas that check requests', () => {
  const withBodies = routeTable.filter(({ body }) => body !== undefined);

  it.each(withBodies.map((row) => [row.id, row] as const))('take the example of %s', (_, row) => {
    expect(row.bodyExample).toBeDefined();
    expect(() => checkBody(row.body!, row.bodyExample)).not.toThrow();
  });

  const errorsOf = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return (error as { problem: { errors: unknown } }).problem.errors;
    }
  };
  const bodyOf = (id: string) => routeTable.find((row) => row.id === id)!.body!;

  it.each([
    [{}, expect.arrayContaining([{ pointer: '/workflow', detail: expect.any(String) as string }])],
    [{ workflow: 3 }, [{ pointer: '/workflow', detail: 'must be object' }]],
    [{ prompt: {}, 'a/b~c': 1 }, [{ pointer: '/a~1b~0c', detail: 'is not known here' }]],
    [{ prompt: {}, wait: -1 }, [{ pointer: '/wait', detail: 'must be >= 0' }]],
    [
      { prompt: {}, webhook: { url: 'no url', key: 1 } },
      expect.arrayContaining([
        { pointer: '/webhook/key', detail: 'is not known here' },
        { pointer: '/webhook/url', detail: 'must match format "uri"' },
      ]),
    ],
  ])('point at what is wrong with %j', (body, errors) => {
    expect(errorsOf(() => checkBody(bodyOf('runWorkflow'), body))).toEqual(errors);
  });

  const queryOf = (id: string) => routeTable.find((row) => row.id === id)!.query!;

  it('read numbers and lists from addresses', () => {
    const query = queryOf('listJobs');
    expect(checkParameters(query, { limit: '5', status: 'failed,pending', token: 'x' })).toEqual({
      ...{ limit: 5, status: ['failed', 'pending'], offset: 0, sort: 'created', order: 'desc' },
    });
    expect(checkParameters(query, { status: ['failed', 'pending'] })).toMatchObject({
      status: ['failed', 'pending'],
    });
    expect(errorsOf(() => checkParameters(query, { limit: '0', order: 'up' }))).toEqual(
      expect.arrayContaining([
        { parameter: 'limit', detail: 'must be >= 1' },
        { parameter: 'order', detail: 'must be one of asc, desc' },
      ]),
    );
  });
});

describe('the page of the document', () => {
  it('names no other host and holds no inline script or style', () => {
    const folder = new URL('../../../../engine/server/v1/docs-page/', import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      expect(text).not.toMatch(/https?:\/\//);
      expect(text).not.toMatch(
        /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+="|innerHTML|\beval\(/,
      );
    }
  });
});

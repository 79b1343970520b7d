/** A client of the public API that holds every answer against the document the server publishes. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { TestServer } from './server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- JSON from the wire */

export type PublicApi = Awaited<ReturnType<typeof openPublicApi>>;

/** Reads the server's document and makes the client. */
export async function openPublicApi(server: TestServer) {
  const document: any = await server.json('/v1/openapi.json');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'api');
  /** Operations that were answered with success. */
  const called = new Set<string>();

  /** Finds the operation of a request in the document and checks the answer against its schema. */
  const call = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: any; headers: Headers }> => {
    const response = await server.get(path, {
      method,
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const bare = path.split('?')[0];
    const template = Object.keys(document.paths).find(
      (key) =>
        new RegExp(`^${key.replace(/\{\w+\}/g, '[^/]+')}$`).test(bare) &&
        document.paths[key][method.toLowerCase()],
    )!;
    const operation = document.paths[template][method.toLowerCase()];
    const spec = operation.responses[response.status];
    expect(
      spec,
      `${method} ${path} answered ${response.status}, which is not declared`,
    ).toBeDefined();
    const type = response.headers.get('content-type')!.split(';')[0];
    expect(Object.keys(spec.content)).toContain(type);
    const text = await response.text();
    const json = /json/.test(type) ? JSON.parse(text) : text;
    const pointer = [
      'paths',
      template,
      method.toLowerCase(),
      'responses',
      response.status,
      'content',
      type,
      'schema',
    ]
      .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const check = ajv.getSchema(`api#/${pointer}`)!;
    expect(check(json), JSON.stringify([check.errors, json], null, 1)).toBe(true);
    if (response.ok) called.add(operation.operationId);
    return { status: response.status, json, headers: response.headers };
  };

  /** Reads a stream into a list of events. */
  const follow = async (path: string, headers: Record<string, string> = {}) => {
    const controller = new AbortController();
    const response = await fetch(server.url + path, { headers, signal: controller.signal });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    called.add('streamEvents');
    const events: { id?: string; event: string; data: any }[] = [];
    const read = async (): Promise<void> => {
      let text = '';
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const lines = text
            .slice(0, end)
            .split('\n')
            .map((line) => line.split(/: (.*)/s));
          const { id, event, data } = Object.fromEntries(lines);
          if (event !== undefined) events.push({ id, event, data: JSON.parse(data) });
          text = text.slice(end + 2);
        }
      }
    };
    void read().catch(() => undefined);
    return {
      events,
      names: () => events.map(({ event }) => event),
      stop: () => controller.abort(),
    };
  };

  return {
    document,
    call,
    follow,
    /** Whether the value is what the document calls by this name. */
    isA: (name: string, value: unknown): boolean =>
      ajv.getSchema(`api#/components/schemas/${name}`)!(value) as boolean,
    /** Operations of the document, with a tag that is wanted, that were not called with success yet. */
    uncalled: (isWanted: (tag: string) => boolean = () => true): string[] =>
      Object.values<any>(document.paths)
        .flatMap((methods) => Object.values<any>(methods))
        .filter(({ tags }) => isWanted(tags[0]))
        .map(({ operationId }) => operationId)
        .filter((id) => !called.has(id)),
  };
}

/** One picture in `value`'s grey. */
export const picture = (value = 0.5) => ({
  1: { class_type: 'StubConstantImage', inputs: { value, height: 8, width: 8, batch_size: 1 } },
  2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
});

/** The same, which takes so many seconds. */
export const sleeper = (seconds: number, value = 0.5) => ({
  ...picture(value),
  3: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
  2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
});

/** The OpenAPI 3.1 document, made of the table of routes and the schemas that check its requests. */
import type { TSchema } from 'typebox';
import type { ResponseSpec, Route } from './route.ts';
import { Problem } from './schemas.ts';

type Json = Record<string, unknown>;

export interface DocumentOptions {
  readonly version: string;
  /** The server asks for its token. */
  readonly token: boolean;
}

/** The document. */
export function openApiDocument(routes: readonly Route[], options: DocumentOptions): Json {
  const components = new Map<string, Json>();
  const schemaOf = (schema: TSchema): Json => withReferences(schema, components);
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method] = operation(route, schemaOf, options);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Noodle',
      version: options.version,
      description:
        'Runs ComfyUI workflows. Bodies are JSON; errors are problem documents (RFC 9457). ' +
        "ComfyUI's own interface (POST /prompt, /ws …) is served beside this one.",
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    security: options.token ? [{ token: [] }, { cookie: [] }] : [],
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The text of --token.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'noodle_token' },
      },
    },
  };
}

type SchemaOf = (schema: TSchema) => Json;

function operation(route: Route, schemaOf: SchemaOf, { token }: DocumentOptions): Json {
  const { id, tag, summary, description, params, query, body, bodyExample, responses, open } =
    route;
  const parameters = [
    ...parametersOf(params, 'path', schemaOf),
    ...parametersOf(query, 'query', schemaOf),
  ];
  const isChange = route.method !== 'get';
  const problems = {
    ...(params !== undefined || query !== undefined || body !== undefined
      ? { 400: 'The request is not what it should be.' }
      : {}),
    ...(token && open !== true ? { 401: 'The token is missing or wrong.' } : {}),
    ...(isChange ? { 429: 'Too many changes in too short a time.' } : {}),
  };
  const answers: Record<string, Json> = {};
  for (const [status, text] of Object.entries(problems)) {
    answers[status] = response(
      { description: text, schema: Problem, mediaType: PROBLEM },
      schemaOf,
    );
  }
  for (const [status, spec] of Object.entries(responses)) {
    const isProblem = Number(status) >= 400 && spec.schema === undefined;
    const full = isProblem ? { ...spec, schema: Problem, mediaType: PROBLEM } : spec;
    answers[status] = response(full, schemaOf);
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...(open === true ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: schemaOf(body),
                example: bodyExample,
              },
            },
          },
        }),
    responses: answers,
  };
}

/** The media type of problems. */
export const PROBLEM = 'application/problem+json';

function response(
  { description, schema, mediaType, example }: ResponseSpec,
  schemaOf: SchemaOf,
): Json {
  if (schema === undefined && mediaType === undefined) return { description };
  const media = {
    ...(schema === undefined ? { schema: { type: 'string' } } : { schema: schemaOf(schema) }),
    example,
  };
  return { description, content: { [mediaType ?? 'application/json']: media } };
}

function parametersOf(
  schema: TSchema | undefined,
  place: 'path' | 'query',
  schemaOf: SchemaOf,
): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, TSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = schemaOf(property);
    const isList = rest.type === 'array';
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      description,
      ...(isList ? { style: 'form', explode: false } : {}),
      schema: rest,
    };
  });
}

/** A copy in which schemas with a title are references; they are collected on the way. */
function withReferences(schema: unknown, components: Map<string, Json>): Json {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    const { title } = value as { title?: unknown };
    if (typeof title === 'string') {
      if (!components.has(title)) {
        components.set(title, {});
        components.set(title, members(value));
      }
      return { $ref: `#/components/schemas/${title}` };
    }
    return members(value);
  };
  const members = (value: object): Json =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)]));
  return copy(schema) as Json;
}

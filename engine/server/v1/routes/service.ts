/** The event stream, health, metrics and the API's own description. */
import { Type } from 'typebox';
import { formOperations } from '../form-operations.ts';
import { openApiDocument } from '../openapi.ts';
import { ok, route } from '../route.ts';
import type { Route } from '../route.ts';
import { Health, Readiness } from '../schemas.ts';
import { eventStream } from '../sse.ts';
import { programVersion } from '../../../version.ts';

const EVENTS = `Server-sent events. \`queue\`: paused, running, pending · \`started\`: a job runs ·
\`progress\`: steps of its node (not repeated after a reconnect) · \`executed\`: a node showed
outputs · \`finished\`: the job with its outputs. A reconnect with Last-Event-ID goes on where it
was; \`gap\` says that some events are not kept any more. With \`job\` the stream begins with a
\`job\` event: how the job is now.`.replaceAll('\n', ' ');

/** Rows of this file; the document describes all rows of the table, these included. */
export const serviceRoutes = (table: () => readonly Route[]): Route[] => [
  route({
    method: 'get',
    path: '/v1/events',
    id: 'streamEvents',
    tag: 'Events',
    summary: 'What happens, as it happens',
    description: EVENTS,
    query: Type.Object({
      job: Type.Optional(Type.String({ description: 'Only events of this job.' })),
      last_event_id: Type.Optional(
        Type.String({ description: 'Same as the header Last-Event-ID.' }),
      ),
    }),
    responses: {
      200: { description: 'The stream.', mediaType: 'text/event-stream' },
      404: { description: 'There is no such job.' },
      503: { description: 'Too many streams are open.' },
    },
    run: ({ query, base, header }, api) => ({
      stream: eventStream(api, {
        job: query.job,
        after: header('last-event-id') ?? query.last_event_id,
        base,
      }),
    }),
  }),
  route({
    method: 'get',
    path: '/v1/openapi.json',
    id: 'getOpenApi',
    tag: 'Service',
    summary: 'This description',
    responses: {
      200: {
        description: 'An OpenAPI 3.1 document.',
        schema: Type.Unsafe<object>({ type: 'object' }),
      },
    },
    run: async (call, api) => {
      const { config } = api;
      const isGuarded = config.token !== undefined || config.userTokens !== undefined;
      const options = { version: programVersion(), token: isGuarded };
      const own = await formOperations(call, api);
      return ok(openApiDocument([...table(), ...own], options));
    },
  }),
  route({
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'Service',
    summary: 'Numbers for Prometheus',
    responses: { 200: { description: "Prometheus' text format.", mediaType: 'text/plain' } },
    run: (_, { metrics }) => metrics.text(),
  }),
  route({
    method: 'get',
    path: '/healthz',
    id: 'getHealth',
    tag: 'Service',
    summary: 'Whether the server lives',
    open: true,
    responses: { 200: { description: 'It does.', schema: Health } },
    run: () => ok({ status: 'ok' }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    id: 'getReadiness',
    tag: 'Service',
    summary: 'Whether jobs would run',
    open: true,
    responses: {
      200: { description: 'They would.', schema: Readiness },
      503: { description: 'They would not, and why.', schema: Readiness },
    },
    run: (_, { health }) => {
      const { status, body } = health.readiness();
      return { status, body };
    },
  }),
];

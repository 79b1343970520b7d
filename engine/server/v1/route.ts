/** One row of the table of routes: what a request must look like, what comes back, what is done. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Static, TSchema } from 'typebox';
import type { Json } from '../../workflow/lossless-json.ts';
import type { Api } from './api.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface ResponseSpec {
  readonly description: string;
  /** Left out for answers that are no JSON. */
  readonly schema?: TSchema;
  /** `application/json` when left out. */
  readonly mediaType?: string;
  readonly example?: unknown;
}

/** A checked request. */
export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The body as it came: integers beyond 2^53 and `5.0` are what they were. */
  readonly raw: { readonly [key: string]: Json | undefined };
  /** The server's address as the client wrote it, without a slash at its end. */
  readonly base: string;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly header: (name: string) => string | undefined;
  /** The user that the request speaks for; undefined where there is a single one. */
  readonly owner: string | undefined;
}

export type Answer =
  | {
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Text of the route's media type. */
  | { readonly text: string; readonly mediaType: string }
  /** The handler goes on writing by itself. */
  | { readonly stream: (req: IncomingMessage, res: ServerResponse) => void };

export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/jobs/{id}`. */
  readonly path: string;
  /** The operationId. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly bodyExample?: unknown;
  /** By status; problems are added to the document for every route. */
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** Answered without the token. */
  readonly open?: boolean;
  readonly run: (call: Call<P, Q, B>, api: Api) => Answer | Promise<Answer>;
}

type Checked<T> = T extends TSchema ? Static<T> : Readonly<Record<string, never>>;

/**
 * A row whose handler's types follow from its schemas, never the other way round: to look for them there, the
 * compiler compares all that schemas can be, which is a sixth of the time that it takes for the whole project.
 */
export function route<
  P extends TSchema | undefined = undefined,
  Q extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
>(
  row: Omit<Route, 'params' | 'query' | 'body' | 'run'> & {
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly run: (
      call: Call<NoInfer<Checked<P>>, NoInfer<Checked<Q>>, NoInfer<Checked<B>>>,
      api: Api,
    ) => Answer | Promise<Answer>;
  },
): Route {
  // The router checks a request against these schemas before it calls `run`.
  return row as Route;
}

/** Status 200 with a JSON body. */
export const ok = (body: unknown): Answer => ({ status: 200, body });

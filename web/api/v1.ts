import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { isRecord } from '../graph/input-spec.ts';
import { textOf } from '../text.ts';
import { refusal } from './refused.ts';

/** The server did not take a request of its own API, and says why (RFC 9457). */
export class ServerProblem extends Error {
  readonly status: number;
  /** What is wrong, part by part. */
  readonly parts: readonly Readonly<Record<string, unknown>>[];

  constructor(message: string, status: number, parts: ServerProblem['parts']) {
    super(message);
    this.status = status;
    this.parts = parts;
  }
}

/** Asks one route of the server's own API: answers with JSON as plain values, or with text. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** `base` is the address of the server's root. Throws a `ServerProblem`. */
export const createAsk =
  (base: string): Ask =>
  async (method, path, body) => {
    const response = await fetch(new URL(path, base), {
      method,
      cache: 'no-cache',
      body: body === undefined ? undefined : stringifyJson(body, { style: 'compact' }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? 'json');
    const answer = response.ok && !isJson ? text : readAnswer(text);
    if (response.ok) return answer;
    const problem = isRecord(answer) ? answer : {};
    const parts = Array.isArray(problem.errors) ? problem.errors.filter(isRecord) : [];
    const message = textOf(problem.detail, refusal(response.status).message);
    throw new ServerProblem(message, response.status, parts);
  };

function readAnswer(text: string): unknown {
  try {
    return toPlain(parseJson(text));
  } catch {
    // A proxy's page: told by its status.
    return null;
  }
}

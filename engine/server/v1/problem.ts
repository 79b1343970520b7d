/** Errors of the public API, as RFC 9457 writes them. */
import { STATUS_CODES } from 'node:http';
import type { Request, Response } from 'express';
import { NoodleError } from '../../errors.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import type { Refusal } from '../face.ts';
import type { Problem, ProblemPart } from './schemas.ts';

export interface ProblemOptions {
  readonly status: number;
  /** For programs, in lower case with underscores. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly ProblemPart[];
}

/** A problem that ends a request. */
export class ProblemError extends Error {
  readonly problem: ProblemOptions;

  constructor(problem: ProblemOptions) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Whether a request belongs to the public API, whose errors look like this. */
export const isPublicApi = (req: Pick<Request, 'path'>): boolean => /^\/v1(\/|$)/.test(req.path);

/** Refusals of what was meant for the public API, in its form. */
export function refuseAsProblem(
  req: Request,
  res: Response,
  { status, code, message }: Refusal,
): boolean {
  if (!isPublicApi(req)) return false;
  sendProblem(res, { status, code, detail: message });
  return true;
}

/** Sends a problem. */
export function sendProblem(res: Response, problem: ProblemOptions): void {
  res
    .status(problem.status)
    .set('Content-Type', 'application/problem+json; charset=utf-8')
    .send(Buffer.from(stringifyJson(problemJson(problem))));
}

/** The document of a problem. */
export function problemJson({ status, code, detail, errors }: ProblemOptions): Problem {
  return {
    type: `urn:noodle:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    errors: errors && [...errors],
  };
}

/** What was thrown, as a problem; undefined for errors that are the server's own. */
export function problemOf(error: unknown): ProblemOptions | undefined {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof NoodleError && (error.status < 500 || error.status === 503)) {
    const { status, code, message } = error;
    return { status, code: code.toLowerCase(), detail: message };
  }
  return undefined;
}

/** A prompt that takes its time and leaves a file, for tests of what ends meanwhile. */
import { expect } from 'vitest';
import type { TestServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access -- JSON from the wire */

/** Sleeps, then writes one picture named by `prefix`. */
export const job = (prefix: string, seconds: number) => ({
  1: {
    class_type: 'StubConstantImage',
    inputs: { value: 0.5, height: 8, width: 8, batch_size: 1 },
  },
  2: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
  3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: prefix } },
});

/** Sends a prompt, with `more` in the body; returns its id. */
export async function submitTo(
  server: TestServer,
  prompt: object,
  more: object = {},
): Promise<string> {
  const response = await server.post('/prompt', { prompt, ...more });
  expect(response.status).toBe(200);
  return ((await response.json()) as { prompt_id: string }).prompt_id;
}

/** The status in a prompt's history, once there is one. */
export const statusOn = async (server: TestServer, id: string): Promise<any> =>
  (await server.json(`/history/${id}`))[id]?.status;

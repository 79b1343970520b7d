/** What the benches over HTTP share: servers timed until they answer, and prompts of trivial nodes. */
import type { Client, TestServer } from '../tests/support/server.ts';

export type Prompt = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

/** A chain of integer sums that ends in an output node; another `start` makes it new. */
export function chain(length: number, start: number): Prompt {
  const prompt: Prompt = { n0: { class_type: 'StubInt', inputs: { value: start } } };
  for (let i = 1; i < length - 1; i++) {
    prompt[`n${i}`] = {
      class_type: 'TestIntMathOperation',
      inputs: { a: [`n${i - 1}`, 0], b: 1, operation: 'add' },
    };
  }
  prompt.end = { class_type: 'PreviewAny', inputs: { source: [`n${length - 2}`, 0] } };
  return prompt;
}

/** Sends a prompt and answers with its id; throws what the server says against it. */
export async function submit(server: TestServer, prompt: Prompt, client?: Client): Promise<string> {
  const answer = await server.post('/prompt', { prompt, client_id: client?.sid });
  const { prompt_id: id, error } = (await answer.json()) as { prompt_id: string; error?: unknown };
  if (error !== undefined) throw new Error(JSON.stringify(error));
  return id;
}

/** Milliseconds from the start of a server to its first answer, and the server. */
export async function untilFirstAnswer(
  start: () => Promise<TestServer>,
): Promise<{ milliseconds: number; server: TestServer }> {
  const begin = performance.now();
  const server = await start();
  await (await server.get('/system_stats')).arrayBuffer();
  return { milliseconds: performance.now() - begin, server };
}

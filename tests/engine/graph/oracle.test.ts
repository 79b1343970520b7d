/**
 * Prompts and what ComfyUI 0.3.64 made of them. Oracle: tests/fixtures/execution.json, computed by
 * running the reference's execution.py (validate_prompt, PromptExecutor) with its own testing pack
 * and a server object that records every message; timestamps and tracebacks are left out.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../../../engine/graph/caches.ts';
import type { Prompt } from '../../../engine/graph/definition.ts';
import { executePrompt } from '../../../engine/graph/execute.ts';
import type { GraphMessage } from '../../../engine/graph/messages.ts';
import { validatePrompt } from '../../../engine/graph/validate.ts';
import { Float, parseJson, stringifyJson } from '../../../engine/workflow/lossless-json.ts';
import type { Json } from '../../../engine/workflow/lossless-json.ts';
import { historyOutputs } from '../../support/history.ts';
import { referenceChoices } from '../../support/object-info.ts';
import { oracleNodes } from './oracle-nodes.ts';

interface Case {
  readonly name: string;
  readonly cache?: 'classic' | 'lru';
  readonly size?: number;
  readonly validateOnly?: boolean;
  /** The error's text comes from torch. */
  readonly looseError?: boolean;
  readonly runs: readonly {
    readonly prompt: Prompt;
    readonly partialTargets?: readonly string[];
    readonly extraData?: Record<string, Json>;
  }[];
  readonly expected: readonly Expected[];
}

interface Expected {
  readonly valid: boolean;
  readonly error: Json;
  readonly outputs: readonly string[];
  readonly node_errors: Json;
  readonly prompt: Prompt;
  readonly sent?: readonly [event: string, data: Json, to: 'client' | 'all'][];
  readonly success?: boolean;
  readonly status?: readonly [event: string, data: Json][];
  readonly history?: { readonly outputs: Json };
}

const cases = parseJson(
  readFileSync(new URL('../../fixtures/execution.json', import.meta.url), 'utf8'),
) as unknown as Case[];

/** Leaves out times, stack frames, how values print, and (`loose`) texts that come from torch. */
function normal(value: Json, loose = false): Json {
  if (Array.isArray(value)) return value.map((item) => normal(item, loose));
  if (value === null || typeof value !== 'object' || value instanceof Float) return value;
  const entries = Object.entries(value).flatMap(([key, item]): [string, Json][] => {
    if (['timestamp', 'traceback', 'current_outputs'].includes(key)) return [];
    if (loose && key.startsWith('exception_')) return [];
    if (key === 'current_inputs' && !Array.isArray(item))
      return [[key, Object.keys(item as object)]];
    return [[key, normal(item, loose)]];
  });
  return Object.fromEntries(entries);
}

/** History holds what this run showed (later versions), not all that is cached (0.3.64). */
function shownNow(expected: Expected): Json {
  const shown = (expected.sent ?? []).filter(([event]) => event === 'executed');
  const ids = new Set(shown.map(([, data]) => (data as { node: string }).node));
  const outputs = Object.entries(expected.history?.outputs as Record<string, Json>);
  const hasClient = (expected.sent ?? []).some(([event]) => event === 'execution_start');
  return Object.fromEntries(outputs.filter(([id]) => !hasClient || ids.has(id)));
}

describe.each(cases)('$name', (c) => {
  it('is answered as the reference answers it', async () => {
    const nodes = oracleNodes();
    const caches = createCaches(
      c.cache === 'lru' ? { kind: 'lru', size: c.size ?? 0 } : { kind: 'classic' },
      { sizeOf: () => 0 },
    );
    for (const [i, run] of c.runs.entries()) {
      const expected = c.expected[i];
      const prompt = structuredCloneJson(run.prompt);
      const { partialTargets, extraData = { client_id: 'c' } } = run;
      const validation = await validatePrompt(prompt, {
        nodes,
        source: referenceChoices,
        partialTargets,
      });
      expect({
        valid: validation.ok,
        outputs: validation.ok ? validation.outputs : [],
        error: validation.ok ? null : json(validation.error),
        node_errors: normal(json(validation.nodeErrors)),
      }).toEqual({
        valid: expected.valid,
        outputs: expected.outputs,
        error: expected.error,
        node_errors: normal(expected.node_errors),
      });

      if (validation.ok && c.validateOnly !== true) {
        const sent: [string, Json, string][] = [];
        const messages: GraphMessage[] = [];
        const result = await executePrompt(
          { promptId: `prompt-${i}`, prompt, outputs: validation.outputs, extraData },
          {
            nodes,
            services: null,
            caches,
            signal: new AbortController().signal,
            now: () => Date.now(),
            emit(message) {
              messages.push(message);
              if (message.type !== 'event') return;
              const hasClient = extraData.client_id !== undefined;
              if (!hasClient && message.to === 'client') return;
              const data = normal(parseJson(message.data), c.looseError);
              sent.push([message.event, data, hasClient ? 'client' : 'all']);
            },
          },
        );
        expect(sent).toEqual(
          expected.sent?.map(([event, data, to]) => [event, normal(data, c.looseError), to]),
        );
        expect({
          success: result.completed,
          status: result.messages.map(([event, data]) => [
            event,
            normal(parseJson(data), c.looseError),
          ]),
          outputs: parseJson(historyOutputs(messages, result)),
        }).toEqual({
          success: expected.success,
          status: expected.status?.map(([event, data]) => [event, normal(data, c.looseError)]),
          outputs: shownNow(expected),
        });
      }
      expect(prompt).toEqual(expected.prompt);
    }
  });
});

const json = (value: unknown): Json => parseJson(stringifyJson(value));
const structuredCloneJson = (prompt: Prompt): Prompt => json(prompt) as unknown as Prompt;

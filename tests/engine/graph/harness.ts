/** Runs prompts through validation and the executor in-process, with the testing pack's nodes. */
import { rows } from '../../../engine/array/batch.ts';
import { createCaches } from '../../../engine/graph/caches.ts';
import type { CacheMode } from '../../../engine/graph/caches.ts';
import type { NodeDefinition, Prompt } from '../../../engine/graph/definition.ts';
import { executePrompt } from '../../../engine/graph/execute.ts';
import { createGraphBuilder } from '../../../engine/graph/graph-builder.ts';
import type { BuiltNode, GraphBuilder } from '../../../engine/graph/graph-builder.ts';
import type { GraphMessage, JobEnd } from '../../../engine/graph/messages.ts';
import { validatePrompt } from '../../../engine/graph/validate.ts';
import type { Validation } from '../../../engine/graph/validate.ts';
import { defineNode, image, string } from '../../../engine/node.ts';
import { parseJson, stringifyJson } from '../../../engine/workflow/lossless-json.ts';
import type { Json } from '../../../engine/workflow/lossless-json.ts';
import { builtinNodes } from '../../../nodes/index.ts';
import { nodes as packNodes } from '../../protocol/pack/index.ts';
import { historyOutputs } from '../../support/history.ts';
import { referenceChoices } from '../../support/object-info.ts';
import { rebatch } from './rebatch.ts';

/** 8-bit pictures as SaveImage would write them, by file name. */
type Saved = Map<string, Uint8Array>;

const saver = (name: string, saved: Saved): NodeDefinition =>
  defineNode({
    name,
    category: 'image',
    module: 'nodes',
    form: 'v1',
    inputs: { images: image(), ...(name === 'SaveImage' ? { filename_prefix: string() } : {}) },
    hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
    outputs: [],
    outputNode: true,
    run({ images }) {
      const files = Array.from({ length: images.shape[0] }, (_, i) => {
        const filename = `${saved.size}.png`;
        saved.set(
          filename,
          Uint8Array.from(rows(images, i, i + 1).data, (v) => v * 255),
        );
        return { filename, subfolder: '', type: 'output' };
      });
      return { ui: { images: files } };
    },
  });

export interface Event {
  readonly event: string;
  readonly data: Record<string, Json>;
  readonly text: string;
}

/** One run as a client sees it. */
export interface RunOutcome {
  readonly result: JobEnd;
  readonly messages: readonly GraphMessage[];
  readonly events: readonly Event[];
  /** Ids of `executing`, in order; ids in `execution_cached`. */
  readonly ran: readonly string[];
  readonly cached: readonly string[];
  readonly outputs: Record<string, Record<string, Json>>;
  readonly didRun: (node: BuiltNode) => boolean;
  of(event: string): Record<string, Json>[];
  error(): Record<string, Json> | undefined;
  /** The pictures a saver node shows. */
  images(node: BuiltNode): Uint8Array[];
}

export interface Harness {
  readonly graph: GraphBuilder;
  validate(prompt: Prompt, partialTargets?: readonly string[]): Promise<Validation>;
  /** Validates (throws the error's type when nothing can run) and runs. */
  run(
    prompt: GraphBuilder | Prompt,
    options?: {
      partialTargets?: readonly string[];
      signal?: AbortSignal;
      extraData?: Record<string, Json>;
      onMessage?: (message: GraphMessage) => void;
    },
  ): Promise<RunOutcome>;
  clearCaches(): void;
}

let runs = 0;

/** A small engine with its own caches. */
export function createHarness(
  prefix: string,
  {
    cache = { kind: 'classic' },
    nodes: extra = [],
    services = null,
  }: {
    readonly cache?: CacheMode;
    readonly nodes?: readonly NodeDefinition[];
    readonly services?: unknown;
  } = {},
): Harness {
  const saved: Saved = new Map();
  const nodes = builtinNodes();
  const doubles = [saver('SaveImage', saved), saver('PreviewImage', saved), rebatch];
  for (const node of [...packNodes, ...doubles, ...extra]) nodes.set(node.name, node);
  const caches = createCaches(cache, { sizeOf: byteLength, freeMemory: () => 2 ** 50 });
  const source = referenceChoices;

  return {
    graph: createGraphBuilder(prefix),
    clearCaches: () => caches.clear(),
    validate: (prompt, partialTargets) => validatePrompt(prompt, { nodes, source, partialTargets }),
    async run(given, options = {}) {
      const prompt = wire(
        'finalize' in given && typeof given.finalize === 'function' ? given.finalize() : given,
      );
      const { partialTargets, signal = new AbortController().signal, extraData = {} } = options;
      const validation = await validatePrompt(prompt, { nodes, source, partialTargets });
      if (!validation.ok) throw new Error(validation.error.type);
      const messages: GraphMessage[] = [];
      const result = await executePrompt(
        { promptId: `prompt-${runs++}`, prompt, outputs: validation.outputs, extraData },
        {
          nodes,
          services,
          caches,
          signal,
          now: () => Date.now(),
          emit(message) {
            messages.push(message);
            options.onMessage?.(message);
          },
        },
      );
      return outcome(result, messages, saved);
    },
  };
}

/** What a prompt looks like after its way over the wire. */
export const wire = (prompt: unknown): Prompt =>
  parseJson(stringifyJson(prompt)) as unknown as Prompt;

function outcome(result: JobEnd, messages: readonly GraphMessage[], saved: Saved): RunOutcome {
  const events = messages.flatMap((message) =>
    message.type === 'event'
      ? [
          {
            event: message.event,
            text: message.data,
            data: parseJson(message.data) as Record<string, Json>,
          },
        ]
      : [],
  );
  const of = (event: string) => events.filter((e) => e.event === event).map((e) => e.data);
  const outputs = parseJson(historyOutputs(messages, result)) as Record<
    string,
    Record<string, Json>
  >;
  return {
    result,
    messages,
    events,
    of,
    ran: of('executing').map((data) => data.node as string),
    cached: of('execution_cached').flatMap((data) => data.nodes as string[]),
    outputs,
    didRun: (node) => of('executing').some((data) => data.node === node.id),
    error: () => of('execution_error').at(0),
    images(node) {
      const shown = (outputs[node.id]?.images ?? []) as { filename: string }[];
      return shown.map(({ filename }) => saved.get(filename) ?? new Uint8Array());
    },
  };
}

const byteLength = (value: unknown): number =>
  typeof value === 'object' && value !== null && 'data' in value && ArrayBuffer.isView(value.data)
    ? value.data.byteLength
    : 0;

/** The one value all bytes of a picture have; undefined when they differ. */
export function uniform(image: Uint8Array | undefined): number | undefined {
  return image?.every((byte) => byte === image[0]) === true ? image[0] : undefined;
}

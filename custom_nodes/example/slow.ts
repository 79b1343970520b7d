/** Work that takes time: progress, previews, text, interrupts, and running beside other nodes. */
import { setTimeout as delay } from 'node:timers/promises';
import { defineNode, float, int, socket } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';

const CATEGORY = 'example/slow';

/**
 * `parallel: true` is Python's `async def`: other nodes run meanwhile. `context.progress` throws
 * when the prompt is interrupted; `context.signal` tells whatever cannot wait for that.
 */
const wait = defineNode({
  name: 'ExampleWait',
  displayName: 'Wait (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    value: socket('*'),
    seconds: float({ default: 1, min: 0, max: 60, step: 0.1 }),
    steps: int({ default: 10, min: 1, max: 100 }),
  },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ value, seconds, steps }, context) {
    for (let step = 1; step <= steps; step++) {
      await delay((seconds * 1000) / steps, undefined, { signal: context.signal });
      context.progress(step, steps, swatch(step / steps));
    }
    context.sendText(`waited ${seconds} s`);
    context.send('example.waited', { node: context.nodeId, seconds });
    return [value];
  },
});

/** A preview is raw RGB bytes. */
const swatch = (share: number) => ({
  width: 8,
  height: 8,
  rgb: new Uint8Array(8 * 8 * 3).fill(Math.round(255 * share)),
});

export const slowNodes: readonly NodeDefinition[] = [wait];

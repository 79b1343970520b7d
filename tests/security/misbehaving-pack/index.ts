/** Nodes that misbehave as nodes in the wild do; for tests only. */
import { defineNode, string } from '../../../engine/node.ts';
import type { NodeDefinition } from '../../../engine/node.ts';

const common = {
  category: 'tests',
  module: 'tests',
  form: 'v1',
  outputs: [{ type: 'STRING' }],
  outputNode: true,
} as const;

/** Calls a paid service: says its key in the error, in the log and in its inputs. */
const failsWithKey = defineNode({
  ...common,
  name: 'FailsWithKey',
  inputs: { text: string() },
  hidden: { token: 'AUTH_TOKEN_COMFY_ORG', key: 'API_KEY_COMFY_ORG', info: 'EXTRA_PNGINFO' },
  run: ({ text, ...hidden }) => {
    const { token, key } = hidden as { token?: string; key?: string };
    throw new Error(`${text}: GET https://api.example/?key=${key}&token=${token} answered 402`);
  },
});

/** Uses its key and says whether it came. */
const usesKey = defineNode({
  ...common,
  name: 'UsesKey',
  inputs: { text: string() },
  hidden: { key: 'API_KEY_COMFY_ORG' },
  run: (inputs) => {
    const { key } = inputs as { key?: string | null };
    return { ui: { text: [`${inputs.text}: ${typeof key === 'string' ? key.length : 'none'}`] } };
  },
});

export const name = 'misbehaving-pack';
export const nodes: readonly NodeDefinition[] = [failsWithKey, usesKey];

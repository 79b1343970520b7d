/**
 * The nodes that ComfyUI's own execution tests are written with, as a custom node pack: class names,
 * inputs and behaviour as theirs (docs of the contract: tests/execution of the reference).
 */
import type { NodeDefinition } from '../../../engine/node.ts';
import { asyncNodes } from './async.ts';
import { flowNodes } from './flow.ts';
import { listNodes } from './lists.ts';
import { logicNodes } from './logic.ts';
import { specificNodes } from './specific.ts';
import { stubNodes } from './stubs.ts';

export const name = 'testing-pack';

export const nodes: readonly NodeDefinition[] = [
  ...specificNodes,
  ...flowNodes,
  ...listNodes,
  ...logicNodes,
  ...stubNodes,
  ...asyncNodes,
];

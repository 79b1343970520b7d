/** The example pack: every feature of the node API, one small node each. See README.md. */
import type { NodeDefinition } from 'noodle/node';
import { dynamicNodes } from './dynamic.ts';
import { flowNodes } from './flow.ts';
import { listNodes } from './lists.ts';
import { pictureNodes } from './pictures.ts';
import { slowNodes } from './slow.ts';

export const name = 'example';

/** Files for the web page, served as /extensions/example/… */
export const webDirectory = 'web';

export const nodes: readonly NodeDefinition[] = [
  ...pictureNodes,
  ...flowNodes,
  ...listNodes,
  ...slowNodes,
  ...dynamicNodes,
];

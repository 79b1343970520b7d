/** The nodes of other people's packs that saved workflows use most, under their names. See README.md. */
import type { NodeDefinition } from 'noodle/node';
import { arithmeticNodes } from './arithmetic.ts';
import { aspectRatioNodes } from './aspect-ratios.ts';
import { bridgeNodes } from './bridges.ts';
import { colourMatchNodes } from './colour-match.ts';
import { comfyMathNodes } from './comfymath.ts';
import { comfyrollListNodes } from './comfyroll-lists.ts';
import { comfyrollNodes } from './comfyroll.ts';
import { combineNodes } from './concat.ts';
import { constantNodes } from './constants.ts';
import { contextNodes } from './context.ts';
import { crystoolsNodes } from './crystools.ts';
import { efficiencyNodes } from './efficiency.ts';
import { everywhereNodes } from './everywhere.ts';
import { exampleNodes } from './examples.ts';
import { factorSizeNodes } from './factor-sizes.ts';
import { flowNodes } from './flow.ts';
import { imageNodes } from './images.ts';
import { inpaintCropNodes } from './inpaint-crop.ts';
import { kjNodes } from './kjnodes.ts';
import { latentNodes } from './latents.ts';
import { listNodes } from './lists.ts';
import { logicNodes } from './logic.ts';
import { loraStackNodes } from './lora-stacks.ts';
import { loraNodes } from './loras.ts';
import { maskNodes } from './masks.ts';
import { mathNodes } from './math.ts';
import { modelPatchNodes } from './model-patches.ts';
import { pipeNodes } from './pipes.ts';
import { preprocessorNodes } from './preprocessors.ts';
import { resizeKjV2 } from './resize-kj.ts';
import { resizeNodes } from './resize.ts';
import { rgthreeNodes } from './rgthree.ts';
import { savingNodes } from './saving.ts';
import { showNodes } from './show.ts';
import { swarmNodes } from './swarm.ts';
import { switchNodes } from './switches.ts';
import { textEditNodes } from './text-edits.ts';
import { textFileNodes } from './text-files.ts';
import { textNodes } from './text.ts';
import { toolingNodes } from './tooling.ts';
import { valueNodes } from './values.ts';
import { wasNumberNodes } from './was-numbers.ts';
import { wasTextNodes } from './was-text.ts';
import { wildcardNodes } from './wildcards.ts';

export const name = 'community';

export const nodes: readonly NodeDefinition[] = [
  ...constantNodes,
  ...valueNodes,
  ...aspectRatioNodes,
  ...mathNodes,
  ...comfyMathNodes,
  ...arithmeticNodes,
  ...wasNumberNodes,
  ...logicNodes,
  ...switchNodes,
  ...flowNodes,
  ...crystoolsNodes,
  ...listNodes,
  ...textNodes,
  ...wasTextNodes,
  ...wildcardNodes,
  ...textEditNodes,
  ...comfyrollNodes,
  ...comfyrollListNodes,
  ...contextNodes,
  ...rgthreeNodes,
  ...pipeNodes,
  ...loraNodes,
  ...loraStackNodes,
  ...efficiencyNodes,
  ...modelPatchNodes,
  ...resizeNodes,
  resizeKjV2,
  ...factorSizeNodes,
  ...combineNodes,
  ...imageNodes,
  ...colourMatchNodes,
  ...kjNodes,
  ...maskNodes,
  ...inpaintCropNodes,
  ...preprocessorNodes,
  ...latentNodes,
  ...showNodes,
  ...bridgeNodes,
  ...savingNodes,
  ...textFileNodes,
  ...swarmNodes,
  ...toolingNodes,
  ...everywhereNodes,
  ...exampleNodes,
];

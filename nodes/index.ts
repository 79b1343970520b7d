/** The built-in nodes, in the order of ComfyUI's `/object_info`; its page makes its menus in that order. */
import { corePlace } from '../engine/graph/core-classes.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { audioNodes } from './audio.ts';
import { boxNodes } from './boxes.ts';
import { cameraNodes } from './camera.ts';
import { chromaRadianceNodes } from './chroma-radiance.ts';
import { conditioningNodes } from './conditioning.ts';
import { cascadeNodes } from './cascade.ts';
import { contextWindowNodes } from './context-windows.ts';
import { controlNodes } from './control.ts';
import { cosmosNodes } from './cosmos.ts';
import { customSamplingNodes } from './custom-sampling.ts';
import { datasetFileNodes } from './dataset-files.ts';
import { datasetTextNodes } from './dataset-texts.ts';
import { datasetTrainingNodes } from './dataset-training.ts';
import { datasetNodes } from './dataset.ts';
import { freeuNodes } from './freeu.ts';
import { gligenNodes } from './gligen.ts';
import { guidanceNodes } from './guidance.ts';
import { hookConditioningNodes } from './hook-conditioning.ts';
import { hookNodes } from './hooks.ts';
import { hypernetworkNodes } from './hypernetwork.ts';
import { imageAnimationNodes } from './image-animation.ts';
import { imageBatchNodes } from './image-batch.ts';
import { imageColourNodes } from './image-colour.ts';
import { imageFilterNodes } from './image-filters.ts';
import { imageIoNodes } from './image-io.ts';
import { imageResizeNodes } from './image-resize.ts';
import { imageSaveNodes } from './image-save.ts';
import { imageScaleNodes } from './image-scale.ts';
import { imageNodes } from './image.ts';
import { jsonPromptNodes } from './json-prompt.ts';
import { keyframeNodes } from './keyframes.ts';
import { latentAdvancedNodes } from './latent-advanced.ts';
import { latentEmptyNodes } from './latent-empty.ts';
import { latentIoNodes } from './latent-io.ts';
import { latentOperationNodes } from './latent-operations.ts';
import { latentNodes } from './latent.ts';
import { layerNodes } from './layers.ts';
import { load3dNodes } from './load-3d.ts';
import { loaderNodes } from './loaders.ts';
import { ggufLoaderNodes } from './loaders-gguf.ts';
import { logicNodes } from './logic.ts';
import { loraExtractNodes } from './lora-extract.ts';
import { loraNodes } from './lora.ts';
import { mathNodes } from './math.ts';
import { maskNodes } from './mask.ts';
import { meshNodes } from './mesh.ts';
import { modelConditioningNodes } from './model-conditioning.ts';
import { modelComputeNodes } from './model-compute.ts';
import { modelMergingNodes } from './model-merging.ts';
import { modelPatchNodes } from './model-patch.ts';
import { modelSamplingNodes } from './model-sampling.ts';
import { photoMakerNodes } from './photomaker.ts';
import { modelSavingNodes } from './model-saving.ts';
import { painterNodes } from './painter.ts';
import { poseNodes } from './pose.ts';
import { primitiveNodes } from './primitives.ts';
import { promptPartNodes } from './prompt-parts.ts';
import { qwenImageNodes } from './qwen-image.ts';
import { samplerNodes } from './samplers.ts';
import { samplingNodes } from './sampling.ts';
import { scailNodes } from './scail.ts';
import { seedVrNodes } from './seedvr.ts';
import { sigmaNodes } from './sigmas.ts';
import { saveTextNodes } from './save-text.ts';
import { skipLayerNodes } from './skip-layers.ts';
import { stringNodes } from './strings.ts';
import { textOverlayNodes } from './text-overlay.ts';
import { trainingRunNodes } from './training-run.ts';
import { trainingLoraNodes } from './training-lora.ts';
import { trainingNodes } from './training.ts';
import { upscaleNodes } from './upscale.ts';
import { unetPatchNodes } from './unet-patches.ts';
import { utilityNodes } from './utilities.ts';
import { vaeNodes } from './vae.ts';
import { videoTrackNodes } from './video-tracks.ts';
import { visionNodes } from './vision.ts';
import { zImageNodes } from './z-image.ts';
import { zero123Nodes } from './zero123.ts';

const lists: readonly (readonly NodeDefinition[])[] = [
  samplingNodes,
  customSamplingNodes,
  samplerNodes,
  sigmaNodes,
  guidanceNodes,
  skipLayerNodes,
  modelPatchNodes,
  contextWindowNodes,
  modelSamplingNodes,
  loaderNodes,
  ggufLoaderNodes,
  loraNodes,
  hypernetworkNodes,
  modelMergingNodes,
  modelSavingNodes,
  loraExtractNodes,
  modelComputeNodes,
  freeuNodes,
  unetPatchNodes,
  conditioningNodes,
  promptPartNodes,
  qwenImageNodes,
  zImageNodes,
  controlNodes,
  hookNodes,
  hookConditioningNodes,
  visionNodes,
  zero123Nodes,
  cosmosNodes,
  chromaRadianceNodes,
  cascadeNodes,
  gligenNodes,
  photoMakerNodes,
  modelConditioningNodes,
  vaeNodes,
  latentNodes,
  latentEmptyNodes,
  latentAdvancedNodes,
  imageIoNodes,
  imageSaveNodes,
  boxNodes,
  poseNodes,
  layerNodes,
  painterNodes,
  textOverlayNodes,
  videoTrackNodes,
  cameraNodes,
  keyframeNodes,
  seedVrNodes,
  scailNodes,
  imageScaleNodes,
  imageResizeNodes,
  imageBatchNodes,
  imageColourNodes,
  upscaleNodes,
  imageNodes,
  imageFilterNodes,
  imageAnimationNodes,
  audioNodes,
  load3dNodes,
  meshNodes,
  latentIoNodes,
  latentOperationNodes,
  maskNodes,
  primitiveNodes,
  stringNodes,
  logicNodes,
  mathNodes,
  utilityNodes,
  saveTextNodes,
  jsonPromptNodes,
  datasetFileNodes,
  trainingNodes,
  trainingRunNodes,
  trainingLoraNodes,
  datasetNodes,
  datasetTextNodes,
  datasetTrainingNodes,
];

/** A new registry of all built-in nodes: class name -> definition. */
export function builtinNodes(): Map<string, NodeDefinition> {
  const place = ({ name }: NodeDefinition): number => corePlace.get(name) ?? corePlace.size;
  const nodes = lists.flat().sort((a, b) => place(a) - place(b));
  return new Map(nodes.map((definition) => [definition.name, definition]));
}

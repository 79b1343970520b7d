/**
 * Configurations for CheckpointLoader, from the time when checkpoints could not be told apart: two of
 * their settings still count. ComfyUI's own files are rows here.
 */

export interface CheckpointConfig {
  /** `parameterization: "v"`: the model predicts v whatever its file looks like. */
  readonly predictsV?: boolean;
  /** `layer_idx`: the text encoder's last layer. */
  readonly lastLayer?: number;
}

export const standardConfigs: Readonly<Record<string, CheckpointConfig>> = {
  'anything_v3.yaml': { lastLayer: -2 },
  'v1-inference.yaml': {},
  'v1-inference_clip_skip_2.yaml': { lastLayer: -2 },
  'v1-inference_clip_skip_2_fp16.yaml': { lastLayer: -2 },
  'v1-inference_fp16.yaml': {},
  'v1-inpainting-inference.yaml': {},
  'v2-inference-v.yaml': { predictsV: true },
  'v2-inference-v_fp32.yaml': { predictsV: true },
  'v2-inference.yaml': {},
  'v2-inference_fp32.yaml': {},
  'v2-inpainting-inference.yaml': {},
};

/** Names that CheckpointLoader offers: the standard ones and the files of `configs`. */
export const configNames = (files: readonly string[]): string[] =>
  [...new Set([...Object.keys(standardConfigs), ...files])].sort();

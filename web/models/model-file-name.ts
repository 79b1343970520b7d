const ending = /\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx)$/i;

/** Whether a value names a model file. */
export const isModelFile = (value: unknown): value is string =>
  typeof value === 'string' && ending.test(value);

/** Classes with every kind of input that forms ask for, and small workflows of them. */
import type { ApiPrompt, ObjectInfo } from '../../../../engine/workflow/types.ts';

export const info: ObjectInfo = {
  CheckpointLoaderSimple: {
    input: { required: { ckpt_name: [['a.safetensors', 'b.safetensors']] } },
    output: ['MODEL', 'CLIP', 'VAE'],
  },
  LoraLoader: {
    input: {
      required: {
        model: ['MODEL'],
        clip: ['CLIP'],
        lora_name: [['x.safetensors']],
        strength_model: ['FLOAT', { min: -100, max: 100, step: 0.01 }],
        strength_clip: ['FLOAT', { min: -100, max: 100, step: 0.01 }],
      },
    },
    output: ['MODEL', 'CLIP'],
  },
  CLIPTextEncode: {
    input: {
      required: { text: ['STRING', { multiline: true, tooltip: 'Words' }], clip: ['CLIP'] },
    },
    output: ['CONDITIONING'],
    display_name: 'CLIP Text Encode (Prompt)',
  },
  EmptyLatentImage: {
    input: {
      required: {
        width: ['INT', { min: 16, max: 16384, step: 8 }],
        height: ['INT', { min: 16, max: 16384, step: 8 }],
        batch_size: ['INT', { min: 1, max: 4096 }],
      },
    },
    output: ['LATENT'],
  },
  LoadImage: {
    input: { required: { image: [['a.png'], { image_upload: true }] } },
    output: ['IMAGE', 'MASK'],
  },
  LoadImageMask: {
    input: {
      required: {
        image: [['a.png'], { image_upload: true }],
        channel: [['alpha', 'red']],
      },
    },
    output: ['MASK'],
  },
  KSampler: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { min: 0, max: 2 ** 64, control_after_generate: true }],
        steps: ['INT', { min: 1, max: 10000, tooltip: 'How often' }],
        cfg: ['FLOAT', { min: 0, max: 100, step: 0.1 }],
        sampler_name: [['euler', 'heun']],
        scheduler: [['normal', 'karras']],
        positive: ['CONDITIONING'],
        negative: ['CONDITIONING'],
        latent_image: ['LATENT'],
        denoise: ['FLOAT', { min: 0, max: 1, step: 0.01 }],
      },
    },
    output: ['LATENT'],
    display_name: 'KSampler',
  },
  PrimitiveInt: { input: { required: { value: ['INT', { min: 0, max: 50 }] } }, output: ['INT'] },
  Switch: { input: { required: { on: ['BOOLEAN'] } }, output: ['BOOLEAN'] },
  SaveImage: {
    input: { required: { images: ['IMAGE'], filename_prefix: ['STRING'] } },
    output_node: true,
  },
};

/** Text to image, as a prompt of the API format; `more` are further nodes. */
export const prompt = (more: ApiPrompt = {}): ApiPrompt => ({
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'a.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 768, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a star', clip: ['4', 1] } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'dull', clip: ['4', 1] } },
  3: {
    class_type: 'KSampler',
    inputs: {
      seed: 1,
      steps: 20,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  9: { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'out' } },
  ...more,
});

/** Names of inputs and sockets as people read them: on the canvas, and in forms. */

/** Words that are written their own way. */
const spelled: Readonly<Record<string, string>> = {
  cfg: 'CFG',
  ckpt: 'Checkpoint',
  clip: 'CLIP',
  controlnet: 'ControlNet',
  csv: 'CSV',
  fps: 'FPS',
  gligen: 'GLIGEN',
  id: 'ID',
  json: 'JSON',
  lora: 'LoRA',
  rgb: 'RGB',
  sd3: 'SD3',
  sdxl: 'SDXL',
  t5: 'T5',
  t5xxl: 'T5-XXL',
  ttf: 'TTF',
  unet: 'UNet',
  url: 'URL',
  vae: 'VAE',
  xy: 'XY',
};

/** Names that no rule makes readable. */
const known: Readonly<Record<string, string>> = {
  // The whole name would be cut at a node's first width.
  control_after_generate: 'After generate',
  control_net: 'ControlNet',
  control_net_name: 'ControlNet',
  ckpt_name: 'Checkpoint',
  unet_name: 'Diffusion model',
  clip_l: 'CLIP-L',
  clip_g: 'CLIP-G',
  strength_model: 'Model strength',
  strength_clip: 'CLIP strength',
  noise_seed: 'Seed',
  upscale_method: 'Method',
  start_at_step: 'First step',
  end_at_step: 'Last step',
  grow_mask_by: 'Grow mask by',
};

/**
 * A name of the program as people read it: `latent_image` is "Latent image", `sampler_name`
 * "Sampler", `CONDITIONING` "Conditioning". Names that somebody wrote for people stay as they are.
 */
export function readableName(name: string): string {
  if (Object.hasOwn(known, name)) return known[name];
  const isRaw = /^[a-z][a-z0-9_]*$/.test(name) || /^[A-Z][A-Z0-9_]+$/.test(name);
  if (!isRaw) return name;
  const words = name.toLowerCase().split('_').filter(Boolean);
  // Every choice is of a name: `vae_name` is the VAE, `clip_name1` the first CLIP.
  const last = /^name(\d*)$/.exec(words.at(-1) ?? '');
  if (last !== null && words.length > 1) {
    words.pop();
    if (last[1] !== '') words.push(last[1]);
  }
  const text = words.map((word) => spelled[word] ?? word).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

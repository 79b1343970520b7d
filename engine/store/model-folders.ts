/** Where models lie: ComfyUI's folder names, their search paths and extra_model_paths.yaml. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import type * as Yaml from 'yaml';
import { NoodleError } from '../errors.ts';

/** Search paths in order of preference and the endings that count; no endings = every file. */
export interface ModelFolder {
  readonly paths: string[];
  readonly extensions: readonly string[];
}

/** Endings of model files, in ComfyUI's order. */
export const WEIGHT_ENDINGS: readonly string[] = [
  '.ckpt',
  '.pt',
  '.pt2',
  '.bin',
  '.pth',
  '.safetensors',
  '.pkl',
  '.sft',
];

/** Old names that still occur in workflows, configurations and nodes. */
const ALIASES: Readonly<Record<string, string>> = {
  unet: 'diffusion_models',
  clip: 'text_encoders',
};

/**
 * Name -> directories below the models folder (own name when absent) and endings, in ComfyUI's order. `like`:
 * the same directories as another folder's, whatever is added there.
 */
const TABLE: readonly (readonly [
  name: string,
  more?: { dirs?: readonly string[]; extensions?: readonly string[]; like?: string },
])[] = [
  ['checkpoints'],
  ['configs', { extensions: ['.yaml'] }],
  ['loras'],
  ['vae'],
  ['text_encoders', { dirs: ['text_encoders', 'clip'] }],
  ['diffusion_models', { dirs: ['unet', 'diffusion_models'] }],
  ['clip_vision'],
  ['style_models'],
  ['embeddings'],
  // Diffusers models are folders; no file of them is listed.
  ['diffusers', { extensions: ['folder'] }],
  ['vae_approx'],
  ['controlnet', { dirs: ['controlnet', 't2i_adapter'] }],
  ['gligen'],
  ['upscale_models'],
  ['latent_upscale_models'],
  ['custom_nodes', { extensions: [] }],
  ['hypernetworks'],
  ['photomaker'],
  // An empty ending: files that have none.
  ['classifiers', { extensions: [''] }],
  ['model_patches'],
  ['audio_encoders'],
  ['datasets', { extensions: [] }],
  ['background_removal'],
  ['frame_interpolation'],
  ['geometry_estimation'],
  ['optical_flow'],
  ['detection'],
  ['fonts', { extensions: ['.ttf', '.otf'] }],
  // The names that the extension ComfyUI-GGUF gives them.
  ['unet_gguf', { like: 'diffusion_models', extensions: ['.gguf'] }],
  ['clip_gguf', { like: 'text_encoders', extensions: ['.gguf'] }],
];

/** The standard folders below `models` (`custom_nodes` lies below `base`). */
export function standardModelFolders(base: string, models: string): Map<string, ModelFolder> {
  const folders = new Map<string, ModelFolder>();
  for (const [name, { dirs = [name], extensions = WEIGHT_ENDINGS, like } = {}] of TABLE) {
    const above = name === 'custom_nodes' ? base : models;
    const own = dirs.map((dir) => join(above, dir));
    const paths = like === undefined ? own : folders.get(like)!.paths;
    folders.set(name, { paths, extensions });
  }
  return folders;
}

/** The present name of a model folder (`unet` -> `diffusion_models`). */
export function modelFolderName(name: string): string {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
}

/**
 * Adds a search path: last, or first when `isDefault` (a known path then moves to the front).
 * An unknown folder name is created and takes every file.
 */
export function addModelPath(
  folders: Map<string, ModelFolder>,
  name: string,
  path: string,
  isDefault = false,
): void {
  const key = modelFolderName(name);
  const folder = folders.get(key);
  if (folder === undefined) {
    folders.set(key, { paths: [path], extensions: [] });
    return;
  }
  const at = folder.paths.indexOf(path);
  if (at >= 0 && !isDefault) return;
  if (at >= 0) folder.paths.splice(at, 1);
  if (isDefault) folder.paths.unshift(path);
  else folder.paths.push(path);
}

/**
 * Reads an extra_model_paths.yaml: sections with an optional `base_path` (`~` and environment
 * variables expanded), an optional `is_default` and, per model folder, one path a line. Relative
 * paths count from `base_path`, else from the file's own folder. Throws BAD_INPUT naming the file
 * when it is not such a file. `warn` hears of keys that are there twice.
 */
export function readExtraModelPaths(
  file: string,
  folders: Map<string, ModelFolder>,
  warn: (text: string) => void = () => undefined,
): void {
  const fail = (expected: string, got: string): never => {
    throw new NoodleError('BAD_INPUT', { subject: file, expected, got });
  };
  let config: unknown;
  try {
    // Few have such a file: nobody else waits for the reader to be loaded.
    const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml;
    // Of equal keys the last counts, as for PyYAML.
    const document = yaml.parseDocument(readFileSync(file, 'utf8'), { uniqueKeys: false });
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    for (const key of repeatedKeys(yaml, document)) {
      warn(`${file}: '${key}' is there twice; the last counts`);
    }
    config = document.toJS();
  } catch (error) {
    return fail('a readable YAML file', (error as Error).message);
  }
  if (config === null || config === undefined) return;
  if (!isRecord(config)) return fail('sections with paths', typeof config);
  const here = dirname(resolve(file));
  for (const [section, content] of Object.entries(config)) {
    if (content === null) continue;
    if (!isRecord(content)) return fail(`section '${section}' with paths`, typeof content);
    const { base_path: basePath, is_default: isDefault, ...entries } = content;
    const root = typeof basePath === 'string' ? resolve(here, expand(basePath)) : undefined;
    for (const [name, lines] of Object.entries(entries)) {
      if (typeof lines !== 'string') {
        return fail(`paths as text in '${section}.${name}'`, JSON.stringify(lines));
      }
      for (const line of lines.split('\n')) {
        if (line.length === 0) continue;
        const path =
          root !== undefined ? resolve(root, line) : isAbsolute(line) ? line : join(here, line);
        addModelPath(folders, name, stripSlash(normalize(path)), isDefault === true);
      }
    }
  }
}

/** Keys that a mapping has more than once, as dotted paths. */
function repeatedKeys({ isScalar, visit }: typeof Yaml, document: Yaml.Document): string[] {
  const repeated: string[] = [];
  visit(document, {
    Map(_, map, path) {
      const above = path.flatMap((node) =>
        'key' in node && isScalar(node.key) ? [String(node.key.value)] : [],
      );
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = String(isScalar(key) ? key.value : key);
        if (seen.has(name)) repeated.push([...above, name].join('.'));
        seen.add(name);
      }
    },
  });
  return [...new Set(repeated)];
}

function expand(path: string): string {
  return path
    .replace(/^~(?=$|[\\/])/, () => homedir())
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
      return process.env[braced ?? bare ?? ''] ?? whole;
    });
}

const stripSlash = (path: string): string => (path.length > 1 ? path.replace(/[\\/]+$/, '') : path);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

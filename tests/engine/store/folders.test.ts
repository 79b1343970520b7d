import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolders, wipeTemp } from '../../../engine/store/folders.ts';
import { base, make, put } from './base-folder.ts';

describe('directories', () => {
  it('follow the flags', () => {
    const folders = make({ tempDirectory: join(base, 'x'), outputDirectory: join(base, 'out') });
    expect(folders.directory('input')).toBe(join(base, 'input'));
    expect(folders.output).toBe(join(base, 'out'));
    expect(folders.temp).toBe(join(base, 'x', 'temp'));
    expect(existsSync(folders.temp)).toBe(true);
    expect(() => make({ userDirectory: join(base, 'nobody') })).toThrow('--user-directory');
  });

  it('wipes temp without following links', () => {
    const folders = make();
    put('temp/sub/a.png');
    put('precious/keep.txt');
    symlinkSync(join(base, 'precious'), join(folders.temp, 'link'));
    wipeTemp(folders);
    expect(readdirSync(folders.temp)).toEqual([]);
    expect(existsSync(join(base, 'precious', 'keep.txt'))).toBe(true);
  });
});

describe('model folders', () => {
  it('has ComfyUI’s names in order, two-directory folders and aliases', () => {
    const folders = make();
    expect(folders.modelFolders().slice(0, 7)).toEqual([
      'checkpoints',
      'configs',
      'loras',
      'vae',
      'text_encoders',
      'diffusion_models',
      'clip_vision',
    ]);
    expect(folders.modelPaths('unet')).toEqual([
      join(base, 'models', 'unet'),
      join(base, 'models', 'diffusion_models'),
      join(base, 'output', 'diffusion_models'),
    ]);
    expect(folders.modelPaths('clip')).toEqual(folders.modelPaths('text_encoders'));
    expect(folders.modelPaths('constructor')).toBeUndefined();
    expect(folders.modelFiles('nothing')).toEqual([]);
  });

  it('lists recursively: endings, union, order, hidden names, links and loops', () => {
    put('models/vae/b.safetensors');
    put('models/vae/A.PT');
    put('models/vae/deep/er/c.ckpt');
    put('models/vae/notes.txt');
    put('models/vae/.git/d.pt');
    put('models/vae/._b.safetensors');
    put('output/vae/saved.safetensors');
    put('output/vae/b.safetensors');
    put('elsewhere/linked.pt');
    symlinkSync(join(base, 'elsewhere'), join(base, 'models/vae/link'));
    symlinkSync(join(base, 'models/vae'), join(base, 'models/vae/deep/loop'));
    symlinkSync(join(base, 'models/vae/itself'), join(base, 'models/vae/itself'));
    put('models/classifiers/plain');
    put('models/classifiers/with.txt');
    const folders = make();
    expect(folders.modelFiles('vae')).toEqual([
      'A.PT',
      join('b.safetensors'),
      join('deep', 'er', 'c.ckpt'),
      join('link', 'linked.pt'),
      'saved.safetensors',
    ]);
    expect(folders.modelFiles('classifiers')).toEqual(['plain']);
  });

  it('notices new files, new folders and removals', () => {
    const folders = make();
    expect(folders.modelFiles('loras')).toEqual([]);
    put('models/loras/a.safetensors');
    expect(folders.modelFiles('loras')).toEqual(['a.safetensors']);
    put('models/loras/sub/b.safetensors');
    expect(folders.modelFiles('loras')).toHaveLength(2);
    rmSync(join(base, 'models/loras/sub/b.safetensors'));
    expect(folders.modelFiles('loras')).toEqual(['a.safetensors']);
  });

  it('gives the same list object while nothing changes', () => {
    put('models/loras/a.safetensors');
    // Old enough for the stamp to be trusted.
    utimesSync(join(base, 'models/loras'), 1_000_000, 1_000_000);
    const folders = make();
    expect(folders.modelFiles('loras')).toBe(folders.modelFiles('loras'));
  });

  it('finds files in the first path that has them, through links, and refuses tricks', () => {
    const folders = make();
    put('models/clip/t5.safetensors');
    const big = put('big-disk/model.safetensors');
    mkdirSync(join(base, 'models/checkpoints'), { recursive: true });
    symlinkSync(big, join(base, 'models/checkpoints/linked.safetensors'));
    symlinkSync(join(base, 'gone'), join(base, 'models/checkpoints/dangling.safetensors'));
    expect(folders.modelFile('text_encoders', 't5.safetensors')).toBe(
      join(base, 'models/clip/t5.safetensors'),
    );
    expect(folders.modelFile('checkpoints', 'linked.safetensors')).toBe(big);
    expect(() => folders.modelFile('checkpoints', 'dangling.safetensors')).toThrow('was not found');
    expect(() => folders.modelFile('checkpoints', 'x.ckpt')).toThrow(
      "Model in folder 'checkpoints' 'x.ckpt' was not found",
    );
    expect(() => folders.modelFile('checkpoints', '../../secret')).toThrow('lies outside');
  });

  it('reads extra_model_paths.yaml', () => {
    put(
      'extra_model_paths.yaml',
      [
        'a111:',
        '  base_path: ${NOODLE_TEST_BASE}/webui/',
        '  checkpoints: models/Stable-diffusion',
        '  loras: |',
        '    models/Lora',
        '    models/LyCORIS',
        'comfy:',
        '  is_default: true',
        '  unet: mine/unet/',
        '  my_own: mine/things',
        'empty:',
      ].join('\n'),
    );
    process.env.NOODLE_TEST_BASE = base;
    put('mine/things/any.file');
    const folders = make();
    delete process.env.NOODLE_TEST_BASE;
    expect(folders.modelPaths('checkpoints')).toEqual([
      join(base, 'models/checkpoints'),
      join(base, 'webui/models/Stable-diffusion'),
      join(base, 'output/checkpoints'),
    ]);
    expect(folders.modelPaths('loras')?.slice(1, 3)).toEqual([
      join(base, 'webui/models/Lora'),
      join(base, 'webui/models/LyCORIS'),
    ]);
    expect(folders.modelPaths('diffusion_models')?.[0]).toBe(join(base, 'mine/unet'));
    expect(folders.modelFolders().at(-1)).toBe('my_own');
    expect(folders.modelFiles('my_own')).toEqual(['any.file']);
  });

  it('takes the last of equal keys, and says so', () => {
    const file = put(
      'twice.yaml',
      [
        'one:',
        `  base_path: ${base}`,
        '  checkpoints: a',
        '  checkpoints: b',
        'two:',
        '  loras: /x',
        'two:',
        '  loras: /y',
      ].join('\n'),
    );
    const warnings: string[] = [];
    const folders = createFolders({ base, extraModelPaths: [file] }, (text) => warnings.push(text));
    expect(folders.modelPaths('checkpoints')).toContain(join(base, 'b'));
    expect(folders.modelPaths('checkpoints')).not.toContain(join(base, 'a'));
    expect(folders.modelPaths('loras')).toContain('/y');
    expect(folders.modelPaths('loras')).not.toContain('/x');
    expect(warnings).toEqual([
      `${file}: 'two' is there twice; the last counts`,
      `${file}: 'one.checkpoints' is there twice; the last counts`,
    ]);
  });

  it.each(['- a list', 'section: text', 's:\n  loras: [a, b]', 'a: : b: ['])(
    'reports a broken extra_model_paths.yaml: %j',
    (text) => {
      const file = put('bad.yaml', text);
      expect(() => make({ extraModelPaths: [file] })).toThrow(file);
    },
  );
});

describe.skipIf(process.platform === 'win32')('names with backslashes', () => {
  it('that are listed are found, as those of the folders that they name elsewhere', () => {
    const folders = make();
    put('models/loras/pack\\a.safetensors');
    put('models/loras/pack/b.safetensors');
    put('models/loras/deep\\er/c.safetensors');
    for (const name of ['\\d', 'C:\\d', '..\\d']) put(`models/loras/${name}.safetensors`);
    put('input/photos\\a.png');
    const names = folders.modelFiles('loras');
    expect(names).toEqual(['deep\\er/c.safetensors', 'pack/b.safetensors', 'pack\\a.safetensors']);
    for (const name of names) {
      expect(folders.modelFile('loras', name)).toBe(join(base, 'models/loras', name));
    }
    expect(folders.modelFile('loras', 'pack\\b.safetensors')).toBe(
      join(base, 'models/loras/pack/b.safetensors'),
    );
    expect(() => folders.modelFile('loras', '..\\d.safetensors')).toThrow('lies outside');
    expect(folders.inputFiles('image')).toEqual(['photos\\a.png']);
    expect(folders.annotatedExists('photos\\a.png')).toBe(true);
  });
});

describe('input files', () => {
  it('lists the top level by kind', () => {
    const folders = make();
    for (const name of ['b.PNG', 'a.webp', 'c.mp4', 'd.wav', 'e.latent', 'f.txt', 'sub/g.png']) {
      put(`input/${name}`);
    }
    expect(folders.inputFiles('image')).toEqual(['a.webp', 'b.PNG']);
    expect(folders.inputFiles('video')).toEqual(['c.mp4']);
    expect(folders.inputFiles('audio')).toEqual(['d.wav']);
    expect(folders.inputFiles('latent')).toEqual(['e.latent']);
    expect(folders.inputFiles('any')).toHaveLength(6);
  });

  it('resolves annotated names inside their directory', () => {
    const folders = make();
    put('output/sub/x.png');
    expect(folders.annotatedFile('x.png')).toBe(join(base, 'input/x.png'));
    expect(folders.annotatedFile('x.png', 'temp')).toBe(join(base, 'temp/x.png'));
    expect(folders.annotatedFile('sub/x.png [output]')).toBe(join(base, 'output/sub/x.png'));
    expect(folders.annotatedExists('sub/x.png [output]')).toBe(true);
    expect(folders.annotatedExists('sub [output]')).toBe(false);
    expect(folders.annotatedExists('../output/sub/x.png')).toBe(false);
    expect(() => folders.annotatedFile('../x.png [temp]')).toThrow('lies outside');
  });
});

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { createFolders, wipeTemp } from '../../../engine/store/folders.ts';
import type { FolderOptions, Folders } from '../../../engine/store/folders.ts';
import { writeFileAtomic } from '../../../engine/store/write.ts';

let base: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'noodle-folders-')));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (name: string, content = ''): string => {
  const path = join(base, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const make = (options: Partial<FolderOptions> = {}): Folders => createFolders({ base, ...options });

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

describe('saving', () => {
  const now = (): Date => new Date(2025, 2, 4, 5, 6, 7);

  it('replaces tokens and splits folders', () => {
    const folders = make({ now });
    const target = folders.saveTarget(
      '%year%-%month%/%day%_%hour%%minute%%second%_%width%x',
      'output',
      {
        width: 64,
        height: 32,
      },
    );
    expect(target).toEqual({
      directory: join(base, 'output/2025-03'),
      filename: '04_050607_64x',
      counter: 1,
      subfolder: '2025-03',
      prefix: '2025-03/04_050607_64x',
    });
    expect(folders.saveTarget('50%_%seed%', 'output').filename).toBe('50%_%seed%');
    expect(folders.saveTarget('a/../b/c/', 'temp')).toMatchObject({
      subfolder: 'b',
      filename: 'c',
    });
    expect(folders.saveTarget(join(base, 'output', 'in', 'n'), 'output').subfolder).toBe('in');
  });

  it.each(['../x', '/etc/x', 'a/../../x', '..\\x'])('refuses the prefix %j', (prefix) => {
    expect(() => make().saveTarget(prefix, 'output')).toThrow(
      'Saving image outside the output folder is not allowed',
    );
  });

  it.each([
    ['a red circle\non a blue background', 'has a line break in a name'],
    ['a\tb/c', 'has a tab in a name'],
    ['a\0/x', 'has the control character U+0000 in a name'],
    ['x'.repeat(300), 'has a name of 301 bytes'],
  ])('says what is wrong with the prefix %j', (prefix, problem) => {
    const folders = make();
    expect(() => folders.saveTarget(prefix, 'output')).toThrow(problem);
    expect(folders.prefixProblem?.(prefix, '.png')).toContain(problem);
    expect(readdirSync(folders.output)).toEqual([]);
  });

  it('knows before it writes whether the numbered name is too long', () => {
    const folders = make();
    const longest = 'x'.repeat(255 - '_00001_.png'.length);
    expect(folders.prefixProblem?.(longest, '.png')).toBeUndefined();
    expect(folders.prefixProblem?.(longest, '.latent')).toContain('more than the 255');
    expect(folders.prefixProblem?.(`${longest}x`, '.png')).toContain('more than the 255');
    expect(folders.writeNumbered(folders.saveTarget(longest, 'output'), '.png', 'a').counter).toBe(
      1,
    );
  });

  it('names none of the server’s folders when it refuses or fails', () => {
    const folders = make();
    put('output/file');
    for (const prefix of ['../x', '/etc/x', 'file/x', 'x/'.repeat(3000), 'x\n']) {
      expect(() => folders.saveTarget(prefix, 'output')).toThrow();
      expect(() => folders.saveTarget(prefix, 'output')).not.toThrow(base);
    }
    expect(() => folders.saveTarget('file/x', 'output')).toThrow(/'file' could not be written/);
    const target = { ...folders.saveTarget('y', 'output'), directory: join(base, 'output/file') };
    expect(() => folders.writeNumbered(target, '.png', 'a')).toThrow(NoodleError);
  });

  it('follows links where --follow-links lets it', () => {
    mkdirSync(join(base, 'disk/deep'), { recursive: true });
    mkdirSync(join(base, 'other'));
    put('disk/photo.png');
    for (const type of ['input', 'output']) {
      mkdirSync(join(base, type), { recursive: true });
      symlinkSync(join(base, 'disk'), join(base, type, 'ext'));
      symlinkSync(join(base, 'disk/photo.png'), join(base, type, 'linked.png'));
      symlinkSync(join(base, 'other'), join(base, type, 'other'));
    }
    const strict = make();
    expect(strict.inputFiles('image')).toEqual([]);
    expect(strict.annotatedExists('linked.png')).toBe(false);
    expect(() => strict.saveTarget('ext/x', 'output')).toThrow('--follow-links');
    for (const followLinks of [true, [join(base, 'disk')]] as const) {
      const folders = make({ followLinks });
      expect(folders.inputFiles('image')).toEqual(['linked.png']);
      expect(folders.filesOf('output')).toEqual(['linked.png']);
      expect(folders.annotatedFile('ext/photo.png')).toBe(join(base, 'disk/photo.png'));
      const target = folders.saveTarget('ext/deep/x', 'output');
      expect(target).toMatchObject({ directory: join(base, 'disk/deep'), subfolder: 'ext/deep' });
      const other = (): unknown => folders.saveTarget('other/x', 'output');
      if (followLinks === true) expect(other).not.toThrow();
      else expect(other).toThrow('--follow-links');
    }
  });

  it('lists what can be used, and only that', () => {
    for (const name of ['con.png', 'aux.png', 'a:b.png', 'line\nbreak.png', '... '])
      put(`input/${name}`);
    put('models/checkpoints/aux/m.safetensors');
    put('models/checkpoints/nul.safetensors');
    put('models/checkpoints/tab\there.safetensors');
    const folders = make();
    const pictures = folders.inputFiles('image');
    expect(pictures).toEqual(['a:b.png', 'aux.png', 'con.png']);
    for (const name of pictures) expect(folders.annotatedExists(name)).toBe(true);
    const models = folders.modelFiles('checkpoints');
    expect(models).toEqual([join('aux', 'm.safetensors'), 'nul.safetensors']);
    for (const name of models) expect(() => folders.modelFile('checkpoints', name)).not.toThrow();
  });

  it('refuses a folder that is a link to elsewhere', () => {
    const folders = make();
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync(join(base, 'elsewhere'), join(base, 'output/link'));
    expect(() => folders.saveTarget('link/x', 'output')).toThrow('outside the output folder');
  });

  it('continues after the highest counter', () => {
    const folders = make();
    for (const name of ['n_00007_.png', 'n_00012_x.webp', 'n_3.mp4', 'nn_99999_.png', 'n_x_.png']) {
      put(`output/${name}`);
    }
    expect(folders.saveTarget('n', 'output').counter).toBe(13);
    expect(folders.saveTarget('fresh', 'output').counter).toBe(1);
  });

  it('starts again when the files are gone, and sees files of others', () => {
    const folders = make();
    const saved = folders.writeNumbered(folders.saveTarget('n', 'output'), '.png', 'a');
    expect(saved).toEqual({
      path: join(base, 'output/n_00001_.png'),
      name: 'n_00001_.png',
      counter: 1,
    });
    put('output/n_00041_.png');
    expect(folders.saveTarget('n', 'output').counter).toBe(42);
    rmSync(saved.path);
    rmSync(join(base, 'output/n_00041_.png'));
    expect(folders.saveTarget('n', 'output').counter).toBe(1);
  });

  it('never overwrites: two writers with the same target get two files', () => {
    const one = make();
    const two = make();
    const a = one.saveTarget('n', 'output');
    const b = two.saveTarget('n', 'output');
    expect(a.counter).toBe(b.counter);
    one.writeNumbered(a, '.png', 'one');
    expect(two.writeNumbered(b, '.png', 'two').counter).toBe(2);
    expect(readFileSync(join(base, 'output/n_00001_.png'), 'utf8')).toBe('one');
    expect(readdirSync(join(base, 'output')).sort()).toEqual(['n_00001_.png', 'n_00002_.png']);
  });
});

describe('writeFileAtomic', () => {
  it('replaces, refuses when exclusive, and leaves no rests behind a failure', () => {
    const path = join(base, 'f.txt');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, new Uint8Array([50]));
    expect(readFileSync(path, 'utf8')).toBe('2');
    expect(() => writeFileAtomic(path, 'x', { exclusive: true })).toThrow('EEXIST');
    mkdirSync(join(base, 'dir'));
    put('dir/keep');
    expect(() => writeFileAtomic(join(base, 'dir'), 'x')).toThrow();
    expect(readdirSync(base).sort()).toEqual(['dir', 'f.txt']);
  });
});

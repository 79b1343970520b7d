import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../engine/config.ts';

describe('parseConfig', () => {
  it('has defaults that need no environment', () => {
    const config = parseConfig([]);
    expect(config).toMatchObject({
      listen: ['127.0.0.1'],
      port: 8188,
      maxUploadSize: 104857600,
      engines: 1,
      maxHistory: 10000,
      interruptGrace: 10000,
      notices: [],
    });
    expect(config.engine).toMatchObject({
      cache: { kind: 'ram' },
      packs: 'all',
      options: { previewMethod: 'none', previewSize: 512, disableMetadata: false },
    });
  });

  it("starts with the command line of ComfyUI's own tests", () => {
    const config = parseConfig(
      '--output-directory /o --listen 127.0.0.1 --port 8200 --extra-model-paths-config a.yaml --cpu --cache-lru 100'.split(
        ' ',
      ),
    );
    expect(config.port).toBe(8200);
    expect(config.engine.cache).toEqual({ kind: 'lru', size: 100 });
    expect(config.engine.folders.extraModelPaths).toEqual(['a.yaml']);
    expect(config.devices).toEqual(['cpu']);
    expect(config.notices).toEqual([]);
  });

  it.each([
    [[], ['auto']],
    [
      ['--device', 'webgpu:1', '--device', 'cpu'],
      ['webgpu:1', 'cpu'],
    ],
    [
      ['--device', 'cuda', 'cpu'],
      ['cuda', 'cpu'],
    ],
    [['--directml'], ['webgpu']],
    [['--directml', '1'], ['webgpu:1']],
    [
      ['--cuda-device', '0,2'],
      ['nvidia:0', 'nvidia:2'],
    ],
    [['--cuda-device', 'all'], ['auto']],
    [['--default-device', '1'], ['nvidia:1']],
  ])('%s are devices %s', (argv, devices) => {
    expect(parseConfig(argv)).toMatchObject({ devices, notices: [] });
  });

  it('says which device flags have no effect beside others', () => {
    const { devices, notices } = parseConfig(['--cuda-device', '1', '--cpu', '--directml']);
    expect(devices).toEqual(['cpu']);
    expect(notices).toEqual([
      '--directml has no effect beside --cpu',
      '--cuda-device has no effect beside --cpu',
    ]);
  });

  it.each([
    [[], { share: 0.9, reserve: 0 }],
    [['--lowvram', '--reserve-vram', '1.5'], { share: 0.45, reserve: 1.5 * 2 ** 30 }],
    [
      ['--gpu-only', '--vram-headroom', '1', '--reserve-vram', '1'],
      { share: 0.95, reserve: 2 ** 31 },
    ],
  ])('%s leave a card %s', (argv, vram) => {
    expect(parseConfig(argv).engine.vram).toEqual(vram);
  });

  it('reads precisions for all and for parts', () => {
    const precision = (...argv: string[]): unknown => parseConfig(argv).engine.precision;
    expect(precision()).toEqual({});
    expect(precision('--precision', 'fp16')).toEqual({ all: { names: ['fp16'] } });
    expect(precision('--precision', 'fp16, vae=fp32,text-encoder=auto')).toEqual({
      all: { names: ['fp16'] },
      vae: { names: ['fp32'] },
      'text-encoder': { names: [] },
    });
    expect(precision('--precision', 'fp16', '--bf16-vae', '--cpu-vae')).toEqual({
      all: { names: ['fp16'] },
      vae: { names: ['bf16', 'fp16'], flag: '--bf16-vae', device: 'cpu' },
    });
    expect(precision('--fp8_e4m3fn-unet', '--fp32-text-enc', '--cpu-vae')).toEqual({
      network: { names: ['fp8', 'fp16'], flag: '--fp8_e4m3fn-unet' },
      'text-encoder': { names: ['fp32'], flag: '--fp32-text-enc' },
      vae: { names: [], flag: '--cpu-vae', device: 'cpu' },
    });
  });

  it.each([
    [['--precision', 'unet=fp16'], 'a precision, or one after network= or text-encoder= or vae='],
    [['--precision', 'vae='], 'got vae='],
    [['--precision', 'fp16,fp32'], 'one precision for a part'],
    [
      ['--precision', 'vae=fp16', '--fp32-vae'],
      '--fp32-vae: expected nothing else for the same part',
    ],
    [['--fp16-unet', '--bf16-unet'], 'got --bf16-unet'],
  ])('refuses %s', (argv, message) => {
    expect(() => parseConfig(argv)).toThrow(message);
  });

  it('follows no links, all of them, or those into folders', () => {
    const followLinks = (...argv: string[]): unknown =>
      parseConfig(argv).engine.folders.followLinks;
    expect(followLinks()).toBeUndefined();
    expect(followLinks('--follow-links', '--cpu')).toBe(true);
    expect(followLinks('--follow-links', '/disk', '/other')).toEqual(['/disk', '/other']);
  });

  it.each([
    [['--cache-lru', '0'], { kind: 'ram' }],
    [['--cache-none'], { kind: 'none' }],
    [['--high-ram'], { kind: 'classic' }],
    [['--cache-ram'], { kind: 'ram' }],
    [
      ['--cache-ram', '2', '8'],
      { kind: 'ram', activeHeadroom: 2 ** 31, inactiveHeadroom: 2 ** 33 },
    ],
  ])('%s', (argv, cache) => {
    expect(parseConfig(argv).engine.cache).toEqual(cache);
  });

  it('collects repeated and multiple values', () => {
    const argv =
      '--extra-model-paths-config a b --extra-model-paths-config c --feature-flag x y=1 z=false';
    const config = parseConfig(argv.split(' '));
    expect(config.engine.folders.extraModelPaths).toEqual(['a', 'b', 'c']);
    expect(config.featureFlags).toEqual({ x: true, y: '1', z: false });
  });

  it('takes bare forms of flags with optional values', () => {
    const config = parseConfig(['--enable-cors-header', '--verbose', '--fast', '--listen', '::1']);
    expect(config).toMatchObject({ corsOrigin: '*', logLevel: 'DEBUG', listen: ['::1'] });
    expect(config.notices).toEqual(["--fast is ComfyUI's and has no effect here"]);
  });

  it('loads only whitelisted packs when packs are off', () => {
    const argv = ['--disable-all-custom-nodes', '--whitelist-custom-nodes', 'a', 'b'];
    expect(parseConfig(argv).engine.packs).toEqual(['a', 'b']);
    expect(parseConfig(argv.slice(0, 1)).engine.packs).toEqual([]);
  });

  it.each([
    ['an open address without a token', ['--listen', '0.0.0.0'], /--listen: expected loopback/],
    ['bare --listen', ['--listen'], /0\.0\.0\.0,::/],
    ['one open address among others', ['--listen', '127.0.0.1,192.168.1.2'], /192\.168\.1\.2/],
    ['two shares of memory', ['--lowvram', '--highvram'], /expected one of them, got 2/],
    ['a share of no number', ['--reserve-vram', 'much'], /a number of at least 0/],
    ['a short token', ['--token', 'abc'], /at least 8/],
    ['two caches', ['--cache-none', '--cache-lru', '3'], /cache options/],
    ['half of TLS', ['--tls-keyfile', 'k'], /TLS/],
    ['an unknown flag', ['--no-such-flag'], /unknown option/],
    ['a bad port', ['--port', '99999'], /from 0 to 65535/],
    ['a stray argument', ['stray'], /too many arguments/],
    ['a foreign database', ['--database-url', 'postgres://x'], /sqlite:\/\/\/PATH/],
  ])('refuses %s', (_, argv, message) => {
    expect(() => parseConfig(argv)).toThrow(message);
  });

  it('lets an open address pass with a token or by force', () => {
    expect(parseConfig(['--listen', '0.0.0.0', '--token', 'long enough']).token).toBe(
      'long enough',
    );
    expect(parseConfig(['--listen', '--insecure-listen']).listen).toEqual(['0.0.0.0', '::']);
  });
});

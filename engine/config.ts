/**
 * The command line: ComfyUI's flags where they make sense, ours beside them, as one typed value.
 * Flags that ComfyUI knows and that mean nothing here are accepted with a notice; others are errors.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NoodleError } from './errors.ts';
import type { EngineOptions } from './values/services.ts';

/** The version this server reports as ComfyUI's, and its own. */
export const COMFYUI_VERSION = '0.3.64';

/** How node results are kept between prompts (ComfyUI's cache options). */
export type CacheSettings =
  | { readonly kind: 'classic' }
  | { readonly kind: 'lru'; readonly size: number }
  | { readonly kind: 'none' }
  /** Kept while memory lasts; headroom in bytes. */
  | { readonly kind: 'ram'; readonly activeHeadroom?: number; readonly inactiveHeadroom?: number };

/** Arguments of `createFolders`. */
export interface FolderSettings {
  readonly base: string;
  readonly program: string;
  readonly inputDirectory?: string;
  readonly outputDirectory?: string;
  readonly tempDirectory?: string;
  readonly userDirectory?: string;
  readonly modelsDirectory?: string;
  readonly extraModelPaths: readonly string[];
  /** Links in input, output and temp are followed: all of them, or those into these folders. */
  readonly followLinks?: true | readonly string[];
}

/** What an engine process has to know; plain data, handed over as JSON. */
export interface EngineSettings {
  readonly folders: FolderSettings;
  readonly options: EngineOptions;
  readonly cache: CacheSettings;
  /** Which packs of custom_nodes are loaded. */
  readonly packs: 'all' | readonly string[];
  readonly threads?: number;
  /** Bytes. */
  readonly memoryBudget?: number;
}

export interface Config {
  readonly listen: readonly string[];
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: { readonly keyFile: string; readonly certFile: string };
  readonly corsOrigin?: string;
  readonly token?: string;
  /** File of further tokens, each of one user. */
  readonly userTokens?: string;
  /** Names of this server besides those that are always taken; lower case. */
  readonly allowedHosts: readonly string[];
  /** Changing requests a minute that one client may send; 0 sets no limit. */
  readonly rateLimit: number;
  /** Webhooks may go to this machine and to private networks. */
  readonly allowPrivateWebhooks: boolean;
  /** Bytes; may be fractional because ComfyUI's option is in MB. */
  readonly maxUploadSize: number;
  readonly compressResponses: boolean;
  readonly offline: boolean;
  readonly multiUser: boolean;
  readonly featureFlags: Readonly<Record<string, string | boolean>>;
  readonly defaultHash: 'md5' | 'sha1' | 'sha256' | 'sha512';
  /** Replaces the built page. */
  readonly webRoot?: string;
  readonly autoLaunch: boolean;
  readonly printServer: boolean;
  readonly quickTest: boolean;
  /** Packs are loaded anew when their files change. */
  readonly devReload: boolean;
  readonly logLevel: LogLevel;
  readonly logToStdout: boolean;
  /** Path of the queue's database, or ':memory:'. */
  readonly database?: string;
  readonly maxHistory: number;
  /** The assets API. */
  readonly assets: boolean;
  /** Hash every file that is found, and look files up by their hash. */
  readonly assetHashing: boolean;
  readonly engines: number;
  /** Milliseconds an engine gets to obey an interrupt before it is ended. */
  readonly interruptGrace: number;
  readonly engine: EngineSettings;
  /** Accepted flags without effect, to be told at start. */
  readonly notices: readonly string[];
  readonly argv: readonly string[];
}

export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const program = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Reads the command line (without node and script). Throws commander's CommanderError for unknown
 * flags, bad values and --help, BAD_INPUT for combinations that are refused.
 */
export function parseConfig(argv: readonly string[]): Config {
  const command = commandLine();
  command.parse([...argv], { from: 'user' });
  const flags = command.opts<Flags>();
  const listen = flags.listen.split(',').map((address) => address.trim());
  refuseCombinations(flags, listen);
  return {
    listen,
    port: flags.port,
    ...(flags.tlsKeyfile !== undefined && flags.tlsCertfile !== undefined
      ? { tls: { keyFile: flags.tlsKeyfile, certFile: flags.tlsCertfile } }
      : {}),
    corsOrigin: flags.enableCorsHeader,
    token: flags.token,
    userTokens: flags.userTokens,
    allowedHosts: (flags.allowedHosts ?? [])
      .flatMap((names) => names.split(','))
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
    rateLimit: flags.rateLimit ?? (listen.every(isLoopback) ? 0 : DEFAULT_RATE_LIMIT),
    allowPrivateWebhooks: flags.allowPrivateWebhooks ?? false,
    maxUploadSize: flags.maxUploadSize * 1024 * 1024,
    compressResponses: flags.enableCompressResponseBody ?? false,
    offline: (flags.offline ?? false) || (flags.disableApiNodes ?? false),
    multiUser: flags.multiUser ?? false,
    featureFlags: Object.fromEntries((flags.featureFlag ?? []).map(featureFlag)),
    defaultHash: flags.defaultHashingFunction,
    webRoot: flags.frontEndRoot,
    autoLaunch:
      (flags.autoLaunch ?? flags.windowsStandaloneBuild ?? false) && !flags.disableAutoLaunch,
    printServer: !(flags.dontPrintServer ?? false),
    quickTest: flags.quickTestForCi ?? false,
    devReload: flags.devReload ?? false,
    logLevel: flags.verbose,
    logToStdout: flags.logStdout ?? false,
    database: databasePath(flags.databaseUrl),
    maxHistory: flags.maxHistory,
    assets: !(flags.disableAssets ?? false),
    assetHashing: flags.enableAssetHashing ?? false,
    engines: flags.engines,
    interruptGrace: flags.interruptGrace * 1000,
    engine: engineSettings(flags),
    notices: IGNORED_FLAGS.map((flag) => flag.split(' ')[0])
      .filter((name) => command.getOptionValueSource(camelCase(name)) === 'cli')
      .map((name) => `${name} is ComfyUI's and has no effect here`),
    argv,
  };
}

/** What commander returns; only flags that this file reads. */
interface Flags {
  listen: string;
  port: number;
  tlsKeyfile?: string;
  tlsCertfile?: string;
  enableCorsHeader?: string;
  maxUploadSize: number;
  baseDirectory?: string;
  extraModelPathsConfig?: string[];
  outputDirectory?: string;
  tempDirectory?: string;
  inputDirectory?: string;
  userDirectory?: string;
  modelsDirectory?: string;
  followLinks?: true | string[];
  autoLaunch?: boolean;
  disableAutoLaunch?: boolean;
  windowsStandaloneBuild?: boolean;
  previewMethod: EngineOptions['previewMethod'];
  previewSize: number;
  cacheClassic?: boolean;
  cacheLru: number;
  cacheNone?: boolean;
  highRam?: boolean;
  cacheRam?: true | number[];
  defaultHashingFunction: Config['defaultHash'];
  dontPrintServer?: boolean;
  quickTestForCi?: boolean;
  devReload?: boolean;
  disableMetadata?: boolean;
  disableAllCustomNodes?: boolean;
  whitelistCustomNodes?: string[];
  disableApiNodes?: boolean;
  offline?: boolean;
  multiUser?: boolean;
  verbose: LogLevel;
  logStdout?: boolean;
  frontEndRoot?: string;
  enableCompressResponseBody?: boolean;
  databaseUrl?: string;
  disableAssets?: boolean;
  enableAssetHashing?: boolean;
  featureFlag?: string[];
  engines: number;
  token?: string;
  userTokens?: string;
  allowedHosts?: string[];
  insecureListen?: boolean;
  rateLimit?: number;
  allowPrivateWebhooks?: boolean;
  memoryBudget?: number;
  threads?: number;
  maxHistory: number;
  interruptGrace: number;
}

/** Where others can reach the server. */
const DEFAULT_RATE_LIMIT = 600;

function commandLine(): Command {
  const command = new Command('noodle serve');
  command.exitOverride().allowExcessArguments(false);
  const add = (flag: string, text: string, change: (option: Option) => Option = (o) => o): void => {
    command.addOption(change(new Option(flag, text)));
  };

  add('--listen [IP,…]', 'addresses to listen on; bare: all', (o) =>
    o.default('127.0.0.1').preset('0.0.0.0,::'),
  );
  add('--port <N>', '0 takes any free port', (o) => o.default(8188).argParser(integer(0, 65535)));
  add('--tls-keyfile <FILE>', 'with --tls-certfile: HTTPS');
  add('--tls-certfile <FILE>', 'with --tls-keyfile: HTTPS');
  add('--enable-cors-header [ORIGIN]', 'CORS in place of the origin check', (o) => o.preset('*'));
  add('--max-upload-size <MB>', 'largest request body', (o) =>
    o.default(100).argParser(decimal(0)),
  );
  add('--enable-compress-response-body', 'gzip JSON and text answers');
  add('--token <TEXT>', 'every request has to carry this token');
  add(
    '--user-tokens <FILE>',
    'JSON {"user id": "token"}: with --multi-user, tokens of single users',
  );
  add('--allowed-hosts <NAME...>', 'further names of this server (behind a proxy, in a network)');
  add('--insecure-listen', 'listen on other than loopback addresses without a token');
  add(
    '--rate-limit <N>',
    'changing requests a minute of one client; 0: any (default: 0 on loopback, else 600)',
    (o) => o.argParser(integer(0, 1_000_000)),
  );
  add('--allow-private-webhooks', 'webhooks may go to this machine and private networks');
  add('--offline', 'Content-Security-Policy that forbids other hosts');

  add('--base-directory <DIR>', 'root of models, input, output, temp, user');
  add('--extra-model-paths-config <FILE...>', 'further model folders, ComfyUI YAML');
  add('--output-directory <DIR>', 'where results are written');
  add('--temp-directory <DIR>', 'temp is made in there');
  add('--input-directory <DIR>', 'where uploads go');
  add('--user-directory <DIR>', 'settings, workflows, the queue');
  add('--models-directory <DIR>', 'model folders');
  add('--follow-links [DIR...]', 'links in input, output and temp may lead anywhere, or into DIR');

  add('--preview-method <METHOD>', 'none, auto, latent2rgb or taesd', (o) =>
    o.choices(['none', 'auto', 'latent2rgb', 'taesd']).default('none'),
  );
  add('--preview-size <N>', 'pixels', (o) => o.default(512).argParser(integer(1, 8192)));
  add('--cache-classic', 'keep results of the last prompt only');
  add('--cache-lru <N>', 'keep the N latest node results', (o) =>
    o.default(0).argParser(integer(0, 1_000_000)),
  );
  add('--cache-none', 'keep nothing between prompts');
  add('--high-ram', 'same as --cache-classic');
  add(
    '--cache-ram [GB...]',
    'default: keep results while so much memory is free (running, idle)',
    (o) =>
      o.argParser((value, before: number[] | undefined) => [...(before ?? []), decimal(0)(value)]),
  );
  add('--disable-metadata', 'no workflow in saved files');
  add('--disable-all-custom-nodes', 'load no packs');
  add('--whitelist-custom-nodes <NAME...>', 'packs to load all the same');
  add('--dev-reload', 'load packs anew when their files change (for writing them)');
  add('--disable-api-nodes', 'same as --offline');

  add('--multi-user', 'one user folder per comfy-user header');
  add('--default-hashing-function <NAME>', 'md5, sha1, sha256 or sha512', (o) =>
    o.choices(['md5', 'sha1', 'sha256', 'sha512']).default('sha256'),
  );
  add('--front-end-root <DIR>', 'another page in place of the built one');
  add('--feature-flag <ENTRY...>', 'KEY or KEY=VALUE, further entries of /features');
  add('--auto-launch', 'open the page in a browser');
  add('--disable-auto-launch', 'do not');
  add('--windows-standalone-build', 'implies --auto-launch');
  add('--verbose [LEVEL]', 'DEBUG, INFO, WARNING, ERROR or CRITICAL', (o) =>
    o
      .choices([...LOG_LEVELS])
      .default('INFO')
      .preset('DEBUG'),
  );
  add('--log-stdout', 'log to stdout in place of stderr');
  add('--dont-print-server', 'log nothing but errors');
  add('--quick-test-for-ci', 'exit when everything is loaded');
  add('--database-url <URL>', 'sqlite:///PATH of queue and history; sqlite:///:memory: keeps none');

  add('--disable-assets', 'no assets API');
  add('--enable-asset-hashing', 'read every model and picture once, to find files by their hash');

  add('--engines <N>', 'engine processes', (o) => o.default(1).argParser(integer(1, 64)));
  add('--threads <N>', 'threads of one model call', (o) => o.argParser(integer(1, 1024)));
  add('--memory-budget <GB>', 'memory that open models may take', (o) => o.argParser(decimal(0)));
  add('--max-history <N>', 'finished prompts that are kept', (o) =>
    o.default(10_000).argParser(integer(1, 100_000_000)),
  );
  add('--interrupt-grace <SECONDS>', 'then a busy engine is ended', (o) =>
    o.default(10).argParser(decimal(0)),
  );
  for (const flag of IGNORED_FLAGS) add(flag, 'without effect', (o) => o.hideHelp());
  return command;
}

function engineSettings(flags: Flags): EngineSettings {
  return {
    folders: {
      base: resolve(flags.baseDirectory ?? program),
      program,
      inputDirectory: flags.inputDirectory,
      outputDirectory: flags.outputDirectory,
      tempDirectory: flags.tempDirectory,
      userDirectory: flags.userDirectory,
      modelsDirectory: flags.modelsDirectory,
      extraModelPaths: flags.extraModelPathsConfig ?? [],
      followLinks: flags.followLinks,
    },
    options: {
      previewMethod: flags.previewMethod,
      previewSize: flags.previewSize,
      disableMetadata: flags.disableMetadata ?? false,
    },
    cache: cacheSettings(flags),
    packs: flags.disableAllCustomNodes ? (flags.whitelistCustomNodes ?? []) : 'all',
    threads: flags.threads,
    memoryBudget: flags.memoryBudget === undefined ? undefined : flags.memoryBudget * 1024 ** 3,
  };
}

/** `--cache-lru 0` means the default, as in ComfyUI. */
function cacheSettings({
  cacheLru,
  cacheNone,
  cacheClassic,
  highRam,
  cacheRam,
}: Flags): CacheSettings {
  if (cacheNone) return { kind: 'none' };
  if (cacheLru > 0) return { kind: 'lru', size: cacheLru };
  if (cacheClassic || highRam) return { kind: 'classic' };
  const [activeHeadroom, inactiveHeadroom] = (Array.isArray(cacheRam) ? cacheRam : []).map(
    (gigabytes) => gigabytes * 1024 ** 3,
  );
  return { kind: 'ram', activeHeadroom, inactiveHeadroom };
}

function refuseCombinations(flags: Flags, listen: readonly string[]): void {
  const refuse = (subject: string, expected: string, got: string): never => {
    throw new NoodleError('BAD_INPUT', { subject, expected, got });
  };
  const open = listen.filter((address) => !isLoopback(address));
  const isGuarded = flags.token !== undefined || flags.userTokens !== undefined;
  if (open.length > 0 && !isGuarded && !flags.insecureListen) {
    refuse(
      '--listen',
      'loopback addresses only, a --token, or --insecure-listen to let everybody in',
      open.join(','),
    );
  }
  if (flags.token !== undefined && flags.token.length < 8) {
    refuse('--token', 'at least 8 characters', `${flags.token.length}`);
  }
  if (flags.userTokens !== undefined && !flags.multiUser) {
    refuse('--user-tokens', '--multi-user beside it', 'a single user');
  }
  const caches = [
    flags.cacheClassic,
    flags.cacheLru > 0,
    flags.cacheNone,
    flags.highRam,
    flags.cacheRam !== undefined,
  ].filter(Boolean);
  if (caches.length > 1) refuse('cache options', 'one of them', `${caches.length}`);
  if ((flags.tlsKeyfile === undefined) !== (flags.tlsCertfile === undefined)) {
    refuse('TLS', '--tls-keyfile and --tls-certfile together', 'one of them');
  }
}

/**
 * Flags of ComfyUI that speak of PyTorch, CUDA or its own services and therefore change nothing
 * here. A start script that carries them must go on working.
 */
const IGNORED_FLAGS: readonly string[] = `
  --cuda-device <ID>, --default-device <ID>, --cuda-malloc, --disable-cuda-malloc,
  --force-fp32, --force-fp16, --fp32-unet, --fp64-unet, --bf16-unet, --fp16-unet,
  --fp8_e4m3fn-unet, --fp8_e5m2-unet, --fp8_e8m0fnu-unet, --fp16-vae, --fp32-vae, --bf16-vae,
  --cpu-vae, --fp8_e4m3fn-text-enc, --fp8_e5m2-text-enc, --fp16-text-enc, --fp32-text-enc,
  --bf16-text-enc, --fp16-intermediates, --force-channels-last, --directml [DEVICE],
  --oneapi-device-selector <TEXT>, --disable-ipex-optimize, --supports-fp8-compute,
  --enable-triton-backend, --disable-triton-backend, --use-split-cross-attention,
  --use-quad-cross-attention, --use-pytorch-cross-attention, --use-sage-attention,
  --use-flash-attention, --use-ck-attention, --disable-xformers, --force-upcast-attention,
  --dont-upcast-attention, --gpu-only, --highvram, --normalvram, --lowvram, --novram, --cpu,
  --reserve-vram <GB>, --vram-headroom <GB>, --disable-nvml-pressure,
  --async-offload [STREAMS], --disable-async-offload, --enable-dynamic-vram,
  --disable-dynamic-vram, --fast-disk, --disable-fast-disk, --disable-pinned-memory,
  --disable-cuda-graphs, --disable-comfy-compiler, --assert-graph-breaks,
  --force-non-blocking, --disable-smart-memory, --deterministic, --fast [FEATURE...],
  --mmap-torch-files, --disable-mmap, --date-based-output,
  --date-output-format <FORMAT>, --front-end-version <VERSION>, --comfy-api-base <URL>,
  --disable-partner-nodes, --disabled-nodes-config <FILE>, --enable-assets,
  --list-feature-flags, --enable-manager, --disable-manager-ui,
  --enable-manager-legacy-ui, --debug-hang
`
  .split(',')
  .map((flag) => flag.trim());

/** Whether an address names this machine only. */
export function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(address);
}

function databasePath(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const path = /^sqlite:\/\/\/(.+)$/.exec(url)?.[1];
  if (path === undefined) {
    throw new NoodleError('BAD_INPUT', {
      subject: '--database-url',
      expected: 'sqlite:///PATH',
      got: url,
    });
  }
  return path === ':memory:' ? path : join(resolve(path));
}

function featureFlag(text: string): [string, string | boolean] {
  const [, key, value] = /^([^=]+)(?:=(.*))?$/.exec(text) ?? [undefined, text, undefined];
  if (value === undefined) return [key, true];
  return [key, value === 'true' ? true : value === 'false' ? false : value];
}

const camelCase = (flag: string): string =>
  flag.replace(/^--/, '').replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
    }
    return value;
  };
}

function decimal(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min) {
      throw new InvalidArgumentError(`expected a number of at least ${min}`);
    }
    return value;
  };
}

/**
 * The command line: ComfyUI's flags where they make sense, ours beside them, as one typed value.
 * Flags that ComfyUI knows and that mean nothing here are accepted with a notice; others are errors.
 * A flag is one row of the tables below, under the name that its value has in `Config`.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMFY_DEVICES, DEVICES, VRAM, deviceNames, vramOf } from './device-flags.ts';
import { NoodleError } from './errors.ts';
import {
  type Values,
  choice,
  decimal,
  flag,
  integer,
  number,
  optionalNumber,
  readCommandLine,
  switchOff,
  text,
  texts,
  toggle,
} from './flags.ts';
import type { CacheMode } from './graph/caches.ts';
import { LOG_LEVELS } from './log.ts';
import { COMFY_PRECISION, PRECISION, precisionWishes } from './precision-flags.ts';
import type { PrecisionWishes } from './runtime/precision.ts';
import type { VramWish } from './runtime/devices/budget.ts';
import type { Device } from './runtime/devices/device.ts';
import type { FolderOptions } from './store/folders.ts';
import type { EngineOptions } from './values/services.ts';

/** The version this server reports as ComfyUI's, and its own. */
export const COMFYUI_VERSION = '0.3.64';

const MB = 1024 ** 2;
const GB = 1024 ** 3;

const SERVER = {
  /** 0 takes any free port. */
  port: number('--port <N>', '0 takes any free port', integer(0, 65535), 8188),
  /** This origin (`*`: every one) is let in on purpose. */
  corsOrigin: text('--enable-cors-header [ORIGIN]', 'CORS in place of the origin check', (o) =>
    o.preset('*'),
  ),
  /** Bytes; may be fractional because ComfyUI's option is in MB. */
  maxUploadSize: number('--max-upload-size <MB>', 'largest request body', decimal(0), 100, MB),
  compressResponses: toggle('--enable-compress-response-body', 'gzip JSON and text answers'),
  token: text('--token <TEXT>', 'every request has to carry this token'),
  /** File of further tokens, each of one user. */
  userTokens: text(
    '--user-tokens <FILE>',
    'JSON {"user id": "token"}: with --multi-user, tokens of single users',
  ),
  /** Names of this server besides those that are always taken; lower case. */
  allowedHosts: flag(
    '--allowed-hosts <NAME...>',
    'further names of this server (behind a proxy, in a network)',
    (given: readonly string[] = []) =>
      given
        .flatMap((names) => names.split(','))
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== ''),
  ),
  /** Webhooks may go to this machine and to private networks. */
  allowPrivateWebhooks: toggle(
    '--allow-private-webhooks',
    'webhooks may go to this machine and private networks',
  ),
  multiUser: toggle('--multi-user', 'one user folder per comfy-user header'),
  defaultHash: choice(
    '--default-hashing-function <NAME>',
    'md5, sha1, sha256 or sha512',
    ['md5', 'sha1', 'sha256', 'sha512'],
    { initially: 'sha256' },
  ),
  /** Replaces the built page. */
  webRoot: text('--front-end-root <DIR>', 'another page in place of the built one'),
  featureFlags: flag(
    '--feature-flag <ENTRY...>',
    'KEY or KEY=VALUE, further entries of /features',
    (given: readonly string[] = []) => Object.fromEntries(given.map(featureFlag)),
  ),
  /** Packs are loaded anew when their files change. */
  devReload: toggle('--dev-reload', 'load packs anew when their files change (for writing them)'),
  logLevel: choice('--verbose [LEVEL]', 'DEBUG, INFO, WARNING, ERROR or CRITICAL', LOG_LEVELS, {
    initially: 'INFO',
    bare: 'DEBUG',
  }),
  logToStdout: toggle('--log-stdout', 'log to stdout in place of stderr'),
  printServer: switchOff('--dont-print-server', 'log nothing but errors'),
  quickTest: toggle('--quick-test-for-ci', 'exit when everything is loaded'),
  /** Path of the queue's database, or ':memory:'. */
  database: flag(
    '--database-url <URL>',
    'sqlite:///PATH of queue and history; sqlite:///:memory: keeps none',
    databasePath,
  ),
  maxHistory: number(
    '--max-history <N>',
    'finished prompts that are kept',
    integer(1, 100_000_000),
    10_000,
  ),
  /** The assets API. */
  assets: switchOff('--disable-assets', 'no assets API'),
  /** Hash every file that is found, and look files up by their hash. */
  assetHashing: toggle(
    '--enable-asset-hashing',
    'read every model and picture once, to find files by their hash',
  ),
  engines: number('--engines <N>', 'engine processes for each device', integer(1, 64), 1),
  /** Milliseconds an engine gets to obey an interrupt before it is ended. */
  interruptGrace: number(
    '--interrupt-grace <SECONDS>',
    'then a busy engine is ended',
    decimal(0),
    10,
    1000,
  ),
};

/** Arguments of `createFolders`. */
const FOLDERS = {
  inputDirectory: text('--input-directory <DIR>', 'where uploads go'),
  outputDirectory: text('--output-directory <DIR>', 'where results are written'),
  tempDirectory: text('--temp-directory <DIR>', 'temp is made in there'),
  userDirectory: text('--user-directory <DIR>', 'settings, workflows, the queue'),
  modelsDirectory: text('--models-directory <DIR>', 'model folders'),
  extraModelPaths: texts(
    '--extra-model-paths-config <FILE...>',
    'further model folders, ComfyUI YAML',
  ),
  /** Links in input, output and temp are followed: all of them, or those into these folders. */
  followLinks: flag(
    '--follow-links [DIR...]',
    'links in input, output and temp may lead out of them: anywhere, or into these folders',
    (given: true | readonly string[] | undefined) => given,
  ),
};

/** What nodes read. */
const OPTIONS = {
  previewMethod: choice(
    '--preview-method <METHOD>',
    'none, auto, latent2rgb or taesd',
    ['none', 'auto', 'latent2rgb', 'taesd'],
    { initially: 'none' },
  ),
  previewSize: number('--preview-size <N>', 'pixels', integer(1, 8192), 512),
  disableMetadata: toggle('--disable-metadata', 'no workflow in saved files'),
};

const ENGINE = {
  threads: optionalNumber('--threads <N>', 'threads of one model call', integer(1, 1024)),
  /** Bytes. */
  memoryBudget: optionalNumber(
    '--memory-budget <GB>',
    'memory that the open models of an engine may take',
    decimal(0),
    GB,
  ),
};

/** Flags that only together, or with the others, say something. */
const JOINT = {
  listen: flag(
    '--listen [IP,…]',
    'addresses to listen on; bare: all',
    (given: string) => given.split(',').map((address) => address.trim()),
    (o) => o.default('127.0.0.1').preset('0.0.0.0,::'),
  ),
  insecureListen: toggle(
    '--insecure-listen',
    'listen on other than loopback addresses without a token',
  ),
  tlsKeyFile: text('--tls-keyfile <FILE>', 'with --tls-certfile: HTTPS'),
  tlsCertFile: text('--tls-certfile <FILE>', 'with --tls-keyfile: HTTPS'),
  rateLimit: optionalNumber(
    '--rate-limit <N>',
    'changing requests a minute of one client; 0: any (default: 0 on loopback, else 600)',
    integer(0, 1_000_000),
  ),
  offline: toggle('--offline', 'Content-Security-Policy that forbids other hosts'),
  disableApiNodes: toggle('--disable-api-nodes', 'same as --offline'),
  base: text('--base-directory <DIR>', 'root of models, input, output, temp, user'),
  cacheRam: flag(
    '--cache-ram [GB...]',
    'default: keep results while so much memory is free (running, idle)',
    (given: true | readonly number[] | undefined) => (given === true ? [] : given),
    (o) =>
      o.argParser((value, before: number[] | undefined) => [...(before ?? []), decimal(0)(value)]),
  ),
  cacheClassic: toggle('--cache-classic', 'keep results of the last prompt only'),
  cacheLru: number('--cache-lru <N>', 'keep the N latest node results', integer(0, 1_000_000), 0),
  cacheNone: toggle('--cache-none', 'keep nothing between prompts'),
  highRam: toggle('--high-ram', 'same as --cache-classic'),
  disableAllPacks: toggle('--disable-all-custom-nodes', 'load no packs'),
  packs: texts('--whitelist-custom-nodes <NAME...>', 'packs to load all the same'),
  autoLaunch: toggle('--auto-launch', 'open the page in a browser'),
  disableAutoLaunch: toggle('--disable-auto-launch', 'do not'),
  windowsBuild: toggle('--windows-standalone-build', 'implies --auto-launch'),
};
type Joint = Values<typeof JOINT>;

/** Arguments of `createFolders`; the program's own folder is known here. */
export type FolderSettings = FolderOptions & { readonly program: string };

/** What an engine process has to know; plain data, handed over as JSON. */
export interface EngineSettings extends Values<typeof ENGINE> {
  readonly folders: FolderSettings;
  readonly options: EngineOptions;
  readonly precision: PrecisionWishes;
  /** What its models run on; left out: the CPU. */
  readonly device?: Device;
  /** How many engines share it; left out: one. */
  readonly sharers?: number;
  readonly vram: VramWish;
  readonly cache: CacheMode;
  /** Which packs of custom_nodes are loaded. */
  readonly packs: 'all' | readonly string[];
}

export interface Config extends Values<typeof SERVER> {
  readonly listen: readonly string[];
  readonly tls?: { readonly keyFile: string; readonly certFile: string };
  /** Changing requests a minute that one client may send; 0 sets no limit. */
  readonly rateLimit: number;
  readonly offline: boolean;
  readonly autoLaunch: boolean;
  /** What models shall run on, by names of the command line; each has engines of its own. */
  readonly devices: readonly string[];
  readonly engine: EngineSettings;
  /** Accepted flags without effect, to be told at start. */
  readonly notices: readonly string[];
  readonly argv: readonly string[];
}

const program = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Changing requests a minute where others can reach the server. */
const DEFAULT_RATE_LIMIT = 600;

/**
 * Reads the command line (without node and script). Throws commander's CommanderError for unknown
 * flags, bad values and --help, BAD_INPUT for combinations that are refused.
 */
export function parseConfig(argv: readonly string[]): Config {
  const tables = {
    Server: SERVER,
    Folders: FOLDERS,
    Nodes: OPTIONS,
    Models: { ...DEVICES, ...ENGINE, ...PRECISION, ...VRAM, ...COMFY_DEVICES, ...COMFY_PRECISION },
    'Together with others': JOINT,
  };
  const { values, given } = readCommandLine('noodle serve', argv, tables, IGNORED_FLAGS);
  const server = values(SERVER);
  const joint = values(JOINT);
  refuseCombinations(joint, server);
  const { listen, rateLimit, offline, autoLaunch } = joint;
  const { devices, notices } = deviceNames({ ...values(DEVICES), ...values(COMFY_DEVICES) });
  return {
    ...server,
    listen,
    tls: tlsOf(joint),
    rateLimit: rateLimit ?? (listen.every(isLoopback) ? 0 : DEFAULT_RATE_LIMIT),
    offline: offline || joint.disableApiNodes,
    autoLaunch: (autoLaunch || joint.windowsBuild) && !joint.disableAutoLaunch,
    devices,
    engine: {
      ...values(ENGINE),
      precision: precisionWishes(values(PRECISION), values(COMFY_PRECISION)),
      vram: vramOf(values(VRAM)),
      folders: { base: resolve(joint.base ?? program), program, ...values(FOLDERS) },
      options: values(OPTIONS),
      cache: cacheMode(joint),
      packs: joint.disableAllPacks ? joint.packs : 'all',
    },
    notices: [...notices, ...given.map((name) => `${name} is ComfyUI's and has no effect here`)],
    argv,
  };
}

function tlsOf({ tlsKeyFile: keyFile, tlsCertFile: certFile }: Joint): Config['tls'] {
  return keyFile === undefined || certFile === undefined ? undefined : { keyFile, certFile };
}

/** `--cache-lru 0` means the default, as in ComfyUI. */
function cacheMode({
  cacheLru,
  cacheNone,
  cacheClassic,
  highRam,
  cacheRam = [],
}: Joint): CacheMode {
  if (cacheNone) return { kind: 'none' };
  if (cacheLru > 0) return { kind: 'lru', size: cacheLru };
  if (cacheClassic || highRam) return { kind: 'classic' };
  const [activeHeadroom, inactiveHeadroom] = cacheRam.map((gigabytes) => gigabytes * GB);
  return { kind: 'ram', activeHeadroom, inactiveHeadroom };
}

function refuseCombinations(
  joint: Joint,
  { token, userTokens, multiUser }: Values<typeof SERVER>,
): void {
  const refuse = (subject: string, expected: string, got: string): never => {
    throw new NoodleError('BAD_INPUT', { subject, expected, got });
  };
  const open = joint.listen.filter((address) => !isLoopback(address));
  const isGuarded = token !== undefined || userTokens !== undefined;
  if (open.length > 0 && !isGuarded && !joint.insecureListen) {
    refuse(
      '--listen',
      'loopback addresses only, a --token, or --insecure-listen to let everybody in',
      open.join(','),
    );
  }
  if (token !== undefined && token.length < 8) {
    refuse('--token', 'at least 8 characters', `${token.length}`);
  }
  if (userTokens !== undefined && !multiUser) {
    refuse('--user-tokens', '--multi-user beside it', 'a single user');
  }
  const { cacheClassic, cacheLru, cacheNone, highRam, cacheRam } = joint;
  const caches = [cacheClassic, cacheLru > 0, cacheNone, highRam, cacheRam !== undefined];
  const count = caches.filter(Boolean).length;
  if (count > 1) refuse('cache options', 'one of them', `${count}`);
  if ((joint.tlsKeyFile === undefined) !== (joint.tlsCertFile === undefined)) {
    refuse('TLS', '--tls-keyfile and --tls-certfile together', 'one of them');
  }
}

/**
 * Flags of ComfyUI that speak of PyTorch, CUDA or its own services and therefore change nothing
 * here. A start script that carries them must go on working.
 */
const IGNORED_FLAGS: readonly string[] = `
  --cuda-malloc, --disable-cuda-malloc, --fp16-intermediates, --force-channels-last,
  --oneapi-device-selector <TEXT>, --disable-ipex-optimize, --supports-fp8-compute,
  --enable-triton-backend, --disable-triton-backend, --use-split-cross-attention,
  --use-quad-cross-attention, --use-pytorch-cross-attention, --use-sage-attention,
  --use-flash-attention, --use-ck-attention, --disable-xformers,
  --force-upcast-attention, --dont-upcast-attention, --disable-nvml-pressure,
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

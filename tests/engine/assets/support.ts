/** The assets API over real HTTP, without the rest of the server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import type { ErrorRequestHandler } from 'express';
import { createAssets } from '../../../engine/assets/client.ts';
import { assetRoots } from '../../../engine/assets/roots.ts';
import { NoodleError } from '../../../engine/errors.ts';
import { assetRoutes } from '../../../engine/server/comfy/assets.ts';
import { uploadRoutes } from '../../../engine/server/comfy/upload.ts';
import { identify } from '../../../engine/server/user.ts';
import { viewRoutes } from '../../../engine/server/comfy/view.ts';
import { type Folders, createFolders } from '../../../engine/store/folders.ts';
import { createUsers } from '../../../engine/store/users.ts';

export interface AssetServer {
  readonly base: string;
  readonly folders: Folders;
  readonly assets: ReturnType<typeof createAssets>;
  /** `assets.seed.*` messages so far. */
  readonly events: { type: string; data: Record<string, unknown> }[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Status and JSON of an answer. */
  ask(path: string, init?: RequestInit): Promise<{ status: number; body: any }>; // eslint-disable-line @typescript-eslint/no-explicit-any -- JSON border
  send(method: string, path: string, body: unknown): ReturnType<AssetServer['ask']>;
  upload(
    file: Uint8Array | undefined,
    name: string,
    fields?: Record<string, string | string[]>,
  ): ReturnType<AssetServer['ask']>;
  stop(): Promise<void>;
}

export interface AssetServerOptions {
  readonly hashing?: boolean;
  readonly multiUser?: boolean;
  readonly disabled?: boolean;
  readonly maxUploadBytes?: number;
}

/** Bytes that are a PNG by their beginning; `seed` makes them different. */
export function pngBytes(seed: number, length = 64): Buffer {
  const bytes = Buffer.alloc(length, seed);
  bytes.write('\x89PNG\r\n\x1a\n', 0, 'latin1');
  bytes.writeUInt32BE(13, 8);
  bytes.write('IHDR', 12, 'latin1');
  bytes.writeUInt32BE(8 + seed, 16);
  bytes.writeUInt32BE(6, 20);
  return bytes;
}

/** A safetensors file without tensors. */
export function safetensorsBytes(metadata: Record<string, string>): Buffer {
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

/** Starts a server in a new installation. */
export async function startAssetServer(options: AssetServerOptions = {}): Promise<AssetServer> {
  const { hashing = false, multiUser = false, maxUploadBytes = 100_000 } = options;
  const base = mkdtempSync(join(tmpdir(), 'noodle-assets-'));
  const folders = createFolders({ base });
  if (multiUser) {
    writeFileSync(join(folders.user, 'users.json'), '{"ann_1": "Ann", "bob_2": "Bob"}');
  }
  const users = createUsers(folders.user, { multiUser });
  const events: AssetServer['events'] = [];
  const assets = createAssets({
    file: join(folders.user, 'assets.db'),
    roots: assetRoots(folders),
    hashing,
    scanAtStart: false,
    onEvent: (type, data) => events.push({ type, data: JSON.parse(data) as never }),
    log: (level, text) => events.push({ type: level, data: { text } }),
  });
  const enabled = options.disabled ? undefined : assets;
  const app = express();
  app.set('query parser', 'simple');
  app.use(identify(() => undefined));
  app.use((req, res, next) =>
    req.is('multipart/form-data') ? next() : express.raw({ type: () => true })(req, res, next),
  );
  app.use(
    '/api',
    assetRoutes({ assets: enabled, users, hashing, temp: folders.temp, maxUploadBytes }),
  );
  app.use('/api', viewRoutes({ folders, assets: enabled }));
  app.use(
    '/api',
    uploadRoutes({ folders, maxUploadBytes, hash: 'sha256', assets: enabled, users }),
  );
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(error instanceof NoodleError ? error.status : 500).end(String(error));
  };
  app.use(onError);
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const ask: AssetServer['ask'] = async (path, init) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  };
  return {
    base,
    folders,
    assets,
    events,
    fetch: (path, init) => fetch(url + path, init),
    ask,
    send: (method, path, body) =>
      ask(path, { method, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    upload: (file, name, fields = {}) => {
      const form = new FormData();
      for (const [key, value] of Object.entries(fields)) {
        for (const text of [value].flat()) form.append(key, text);
      }
      if (file !== undefined) form.set('file', new Blob([Buffer.from(file)]), name);
      return ask('/api/assets', { method: 'POST', body: form });
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await assets.stop();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** GET /system_stats and /features. */
import { readFileSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { Router } from 'express';
import { COMFYUI_VERSION } from '../../config.ts';
import type { DeviceStats } from '../../worker/messages.ts';
import { sendJson } from '../answer.ts';
import type { FeatureFlags } from '../../protocol.ts';

export interface SystemOptions {
  readonly argv: readonly string[];
  readonly features: FeatureFlags;
  /** Devices as the engines report them; empty while none is up. */
  readonly devices: () => readonly DeviceStats[];
}

/** Routes of spec §1.5 about the machine. */
export function systemRoutes({ argv, features, devices }: SystemOptions): Router {
  const router = Router();
  const argvShown = argv.map((part, i) => (argv[i - 1] === '--token' ? '…' : part)).map(hideToken);

  router.get('/system_stats', (_req, res) => {
    const known = devices();
    sendJson(res, {
      system: {
        os: process.platform,
        ram_total: totalmem(),
        ram_free: availableMemory(),
        comfyui_version: COMFYUI_VERSION,
        required_frontend_version: null,
        installed_templates_version: null,
        required_templates_version: null,
        python_version: `none (Node.js ${process.version})`,
        pytorch_version: 'none (ONNX Runtime)',
        embedded_python: false,
        argv: ['server.ts', ...argvShown],
      },
      devices: known.length > 0 ? known : [cpuDevice()],
    });
  });

  router.get('/features', (_req, res) => sendJson(res, features));

  return router;
}

const hideToken = (part: string): string => part.replace(/^--token=.*/s, '--token=…');

/** What programs can still get: free memory and what the file cache would give back. */
export function availableMemory(): number {
  if (process.platform !== 'linux') return freemem();
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  } catch {
    return freemem();
  }
}

function cpuDevice(): DeviceStats {
  const total = totalmem();
  const free = availableMemory();
  return {
    name: cpus()[0]?.model.trim() ?? 'cpu',
    type: 'cpu',
    index: null,
    vram_total: total,
    vram_free: free,
    torch_vram_total: total,
    torch_vram_free: free,
  };
}

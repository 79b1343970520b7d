/** GET /system_stats and /features. */
import { freemem, totalmem } from 'node:os';
import { Router } from 'express';
import { COMFYUI_VERSION } from '../../config.ts';
import { processorName } from '../../processor.ts';
import type { EngineState } from '../../queue/slot.ts';
import { sendJson } from '../answer.ts';
import { type DeviceView, deviceViews } from '../device-view.ts';
import type { FeatureFlags } from '../../protocol.ts';

export interface SystemOptions {
  readonly argv: readonly string[];
  readonly features: FeatureFlags;
  readonly engines: () => readonly EngineState[];
}

/** Routes of spec §1.5 about the machine. */
export function systemRoutes({ argv, features, engines }: SystemOptions): Router {
  const router = Router();
  const argvShown = argv.map((part, i) => (argv[i - 1] === '--token' ? '…' : part)).map(hideToken);

  router.get('/system_stats', (_req, res) => {
    const devices = deviceViews(engines());
    sendJson(res, {
      system: {
        os: process.platform,
        ram_total: totalmem(),
        ram_free: freemem(),
        comfyui_version: COMFYUI_VERSION,
        required_frontend_version: null,
        installed_templates_version: null,
        required_templates_version: null,
        python_version: `none (Node.js ${process.version})`,
        pytorch_version: 'none (ONNX Runtime)',
        embedded_python: false,
        argv: ['server.ts', ...argvShown],
      },
      devices: devices.length > 0 ? devices.map(deviceStats) : [processorStats()],
    });
  });

  router.get('/features', (_req, res) => sendJson(res, features));

  return router;
}

const hideToken = (part: string): string => part.replace(/^--token=.*/s, '--token=…');

/** As ComfyUI says it, whose names are of the form `cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync`. */
function deviceStats(view: DeviceView): object {
  const {
    device,
    precision,
    used,
    budget,
    memoryTotal = budget,
    memoryFree = budget - used,
  } = view;
  const isProcessor = device.kind === 'cpu';
  return {
    name: `${device.id} ${device.name} : ${precision}`,
    type: device.kind,
    index: isProcessor ? null : device.index,
    vram_total: memoryTotal,
    vram_free: memoryFree,
    // what models may take in place of what PyTorch has taken
    torch_vram_total: isProcessor ? memoryTotal : budget,
    torch_vram_free: isProcessor ? memoryFree : Math.max(budget - used, 0),
  };
}

/** While no engine has said anything yet. */
function processorStats(): object {
  const [total, free] = [totalmem(), freemem()];
  return {
    name: `cpu ${processorName()}`,
    type: 'cpu',
    index: null,
    vram_total: total,
    vram_free: free,
    torch_vram_total: total,
    torch_vram_free: free,
  };
}

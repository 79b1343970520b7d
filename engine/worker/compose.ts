/**
 * One engine, put together: folders, runtime, families, nodes with packs, caches. The engine process
 * runs one; the command line uses the same without a server.
 */
import { families } from '../arch/families/index.ts';
import type { EngineSettings } from '../config.ts';
import { createCaches } from '../graph/caches.ts';
import type { CacheSet } from '../graph/caches.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import { deviceBudget } from '../runtime/devices/budget.ts';
import { cpuDevice } from '../runtime/devices/cpu.ts';
import { memoryOf, sharesMemory } from '../runtime/devices/device.ts';
import { precisionText, precisionsOf } from '../runtime/precision.ts';
import { type Runtime, createRuntime } from '../runtime/runtime.ts';
import { type Folders, createFolders } from '../store/folders.ts';
import type { Services } from '../values/services.ts';
import { type PackSettings, loadNodes } from '../../nodes/load.ts';
import type { EngineReport } from './messages.ts';
import { sizeOf } from './size-of.ts';

export interface EngineHost {
  readonly nodes: NodeRegistry;
  readonly folders: Folders;
  readonly runtime: Runtime;
  readonly caches: CacheSet;
  readonly previewSize: number;
  /** What nodes are lent; `onSaving` hears of files before they are written. */
  services(onSaving: () => void): Services;
  report(): EngineReport;
}

/**
 * An engine that is ready to run prompts, with built-in nodes and those of the packs at `paths`;
 * nothing native is loaded yet.
 */
export async function createEngineHost(
  settings: EngineSettings,
  packs: PackSettings,
): Promise<EngineHost> {
  const folders = createFolders(settings.folders);
  const { device = cpuDevice(), sharers, vram, threads, options } = settings;
  const { memoryBudget = deviceBudget(device, vram, sharers) } = settings;
  const precisions = precisionsOf(device, settings.precision);
  const precision = precisionText(precisions);
  if (settings.device !== undefined || Object.keys(settings.precision).length > 0)
    packs.log('INFO', `precision on ${device.id}: ${precision} (${device.name})`);
  for (const notice of precisions.notices) packs.log('INFO', notice);
  const { rowFor } = precisions;
  const runtime = createRuntime({ memoryBudget, threads, rowFor, log: packs.log });
  return {
    nodes: await loadNodes(packs),
    folders,
    runtime,
    caches: createCaches(settings.cache, { sizeOf }),
    previewSize: options.previewSize,
    services: (onSaving) => ({
      runtime,
      folders: announceWrites(folders, onSaving),
      families,
      options,
      log: packs.log,
    }),
    report: () => {
      const { bytes, sessions } = runtime.stats();
      const models = sessions.map(({ key, name = key, bytes: size, streamed }) => ({
        name,
        bytes: size,
        streamed,
      }));
      const ownMemory = !sharesMemory(device);
      const memoryTotal = memoryOf(device);
      return { device, precision, memoryTotal, ownMemory, memoryBudget, bytes, models };
    },
  };
}

/** Every saver asks for its target first: that is the moment from which a run leaves traces. */
function announceWrites(folders: Folders, onSaving: () => void): Folders {
  return {
    ...folders,
    saveTarget: (prefix, type, size) => {
      onSaving();
      return folders.saveTarget(prefix, type, size);
    },
  };
}

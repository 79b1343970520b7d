/**
 * Graphics adapters on macOS and Windows, as the system describes the machine's. Which of several
 * WebGPU takes is the system's choice there (the strong one), and no process can ask for another.
 */
import { ask } from './ask.ts';
import type { Adapter } from './vulkan.ts';

/** Milliseconds; either program takes about one second. */
const LIMIT = 20_000;

interface Described extends Adapter {
  /** Bytes of its own. */
  readonly memory?: number;
}

const CONTROLLERS =
  'ConvertTo-Json @(Get-CimInstance Win32_VideoController | Select-Object Name,PNPDeviceID,AdapterRAM)';

/** How a system is asked, by Node's name for it. */
const SYSTEMS: Readonly<Record<string, () => Promise<Described[]>>> = {
  darwin: async () =>
    readProfiler(await ask('system_profiler', ['SPDisplaysDataType', '-json'], LIMIT)),
  win32: async () =>
    readControllers(await ask('powershell', ['-NoProfile', '-Command', CONTROLLERS], LIMIT)),
};

/** The adapter that WebGPU takes on this system; undefined where the system does not say. */
export async function systemAdapter(platform: string): Promise<Described | undefined> {
  const adapters = (await SYSTEMS[platform]?.()) ?? [];
  const real = adapters.filter(({ type }) => type !== 'software');
  if (real.length <= 1) return real[0] ?? adapters[0];
  return { name: real.map(({ name }) => name).join(' or '), type: 'unknown' };
}

/** What `system_profiler SPDisplaysDataType -json` says. */
export function readProfiler(text: string): Described[] {
  const { SPDisplaysDataType: entries } = parse(text) as {
    SPDisplaysDataType?: readonly Readonly<Record<string, string | undefined>>[];
  };
  return (entries ?? []).map((entry) => ({
    name: entry.sppci_model ?? entry._name ?? 'unknown',
    type: entry.sppci_bus === 'spdisplays_builtin' ? 'integrated' : 'discrete',
    memory: sizeOf(entry.spdisplays_vram),
  }));
}

/** `8 GB` or `1536 MB`. */
function sizeOf(text: string | undefined): number | undefined {
  const found = /^(\d+) ([MG])B$/.exec(text ?? '');
  return found === null ? undefined : Number(found[1]) * (found[2] === 'G' ? 2 ** 30 : 2 ** 20);
}

/** What Windows says of its video controllers. Its number for memory has 32 bits: full ones are not believed. */
export function readControllers(text: string): Described[] {
  const entries = parse(text);
  if (!Array.isArray(entries)) return [];
  return (entries as readonly Controller[]).map(
    ({ Name: name = 'unknown', PNPDeviceID: id = '', AdapterRAM: bytes }) => {
      const ids = /VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})/i.exec(id);
      return {
        name,
        type: /^Microsoft (Basic|Remote)/.test(name) ? 'software' : 'unknown',
        ids:
          ids === null ? undefined : { vendor: parseInt(ids[1], 16), device: parseInt(ids[2], 16) },
        memory: bytes !== null && bytes !== undefined && bytes < 0xfff0_0000 ? bytes : undefined,
      };
    },
  );
}

interface Controller {
  readonly Name?: string;
  readonly PNPDeviceID?: string;
  readonly AdapterRAM?: number | null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

import { useEffect } from 'preact/hooks';
import { sizeText } from '../../engine/size-text.ts';
import type { DeviceInfo } from '../api/types.ts';
import { t } from '../locale/translate.ts';
import { logIsOpen } from '../log/log-is-open.ts';
import type { AppParts } from './parts.ts';

/** Milliseconds until engines are asked again that have said nothing yet. */
const PAUSE = 2000;

/** What models run on, bottom right; memory and precision when pointed at. */
export function DeviceNames({ server, state }: AppParts) {
  const { connection, running, devices } = state;
  const isOpen = connection.value === 'open';
  const isIdle = running.value === null;
  // Looked at again after every run: memory was taken, or an engine started anew.
  useEffect(() => {
    if (!isOpen || !isIdle) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const look = async (): Promise<void> => {
      const known = await server.devices().catch(() => []);
      if (over) return;
      if (known.length > 0) devices.value = known;
      else timer = setTimeout(() => void look(), PAUSE);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [isOpen, isIdle]);
  if (devices.value.length === 0) return null;
  return (
    <button
      type="button"
      class="device-names"
      title={devices.value.map((device) => `${device.id}: ${describeDevice(device)}`).join('\n')}
      onClick={() => (logIsOpen.value = !logIsOpen.value)}
    >
      {devices.value.map(({ name }) => name).join(', ')}
    </button>
  );
}

/** A device and what models take on it. */
export function describeDevice({ name, precision, used, budget, streamed }: DeviceInfo): string {
  const taken = t('{name}, {precision}; models take {used} of {budget}', {
    name,
    precision,
    used: sizeText(used),
    budget: sizeText(budget),
  });
  if (streamed === 0) return taken;
  return `${taken}; ${t('{streamed} are read anew at each step', { streamed: sizeText(streamed) })}`;
}

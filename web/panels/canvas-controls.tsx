import { shownChord } from '../commands/keyboard.ts';
import { t } from '../locale/translate.ts';
import { DeviceNames } from './devices.tsx';
import { openHelp } from './help.tsx';
import { Icon } from './icons.tsx';
import type { AppParts } from './parts.ts';
import { sidePanels, toggleSidePanel } from './side-panels.ts';

/** The buttons on the left edge that open the side panels. */
export function SideRail({ state, shortcuts }: AppParts) {
  return (
    <nav class="side-rail" aria-label="Panels">
      {sidePanels.map(({ id, icon, label, key }) => (
        <button
          key={id}
          type="button"
          title={`${t(label)} (${shownChord(key)})`}
          aria-label={t(label)}
          aria-pressed={state.sidePanel.value === id}
          onClick={() => toggleSidePanel(state, id)}
        >
          <Icon name={icon} />
        </button>
      ))}
      <span class="spring" />
      <button
        type="button"
        title={t('Settings')}
        aria-label={t('Settings')}
        onClick={() => shortcuts.find('Comfy.ShowSettingsDialog')?.run()}
      >
        <Icon name="settings" />
      </button>
      <button
        type="button"
        title={`${t('Keyboard shortcuts')} (?)`}
        aria-label={t('Keyboard shortcuts')}
        onClick={() => openHelp(state, shortcuts)}
      >
        <Icon name="help" />
      </button>
    </nav>
  );
}

/** Devices, zoom in per cent and the fit button, bottom right. */
export function ZoomBar(parts: AppParts) {
  const { editor, state } = parts;
  return (
    <div class="zoom-bar">
      <DeviceNames {...parts} />
      <span>{Math.round(state.zoom.value * 100)}%</span>
      <button
        type="button"
        title="Fit view (.)"
        aria-label="Fit view"
        onClick={() => editor.canvas.fitView()}
      >
        <Icon name="fit" />
      </button>
    </div>
  );
}

import { shownChord } from '../commands/keyboard.ts';
import { canvasLocked } from '../graph/canvas-settings.ts';
import { t } from '../locale/translate.ts';
import { DeviceNames } from './devices.tsx';
import { openHelp } from './help.tsx';
import { Icon, type IconName } from './icons.tsx';
import type { AppParts } from './parts.ts';
import { sidePanels, toggleSidePanel } from './side-panels.ts';

/** The buttons on the left edge that open the side panels. */
export function SideRail({ state, shortcuts }: AppParts) {
  return (
    <nav class="side-rail" aria-label={t('Panels')}>
      {sidePanels.map(({ id, icon, label, word = label, key }) => (
        <button
          key={id}
          type="button"
          title={`${t(label)} (${shownChord(key)})`}
          aria-label={t(label)}
          aria-pressed={state.sidePanel.value === id}
          onClick={() => toggleSidePanel(state, id)}
        >
          <Icon name={icon} />
          <small>{t(word)}</small>
        </button>
      ))}
      <span class="spring" />
      <button
        type="button"
        title={t('Training: runs and data sets')}
        aria-label={t('Training: runs and data sets')}
        onClick={() => shortcuts.find('Noodle.OpenTraining')?.run()}
      >
        <Icon name="curve" />
        <small>{t('Training')}</small>
      </button>
      <button
        type="button"
        title={t('Settings')}
        aria-label={t('Settings')}
        onClick={() => shortcuts.find('Comfy.ShowSettingsDialog')?.run()}
      >
        <Icon name="settings" />
        <small>{t('Settings')}</small>
      </button>
      <button
        type="button"
        title={`${t('Keyboard shortcuts')} (?)`}
        aria-label={t('Keyboard shortcuts')}
        onClick={() => openHelp(state, shortcuts)}
      >
        <Icon name="help" />
        <small>{t('Shortcuts')}</small>
      </button>
    </nav>
  );
}

/** Devices, what is in sight and how, bottom right. */
export function ZoomBar(parts: AppParts) {
  const { state, shortcuts, settings } = parts;
  const button = (icon: IconName, id: string, pressed?: boolean) => {
    const command = shortcuts.find(id);
    if (command === undefined) return null;
    const [chord] = shortcuts.chordsOf(id);
    const keys = chord === undefined ? '' : ` (${shownChord(chord)})`;
    return (
      <button
        type="button"
        title={t(command.title) + keys}
        aria-label={t(command.title)}
        aria-pressed={pressed}
        onClick={command.run}
      >
        <Icon name={icon} />
      </button>
    );
  };
  const locked = canvasLocked.value;
  return (
    <div class="zoom-bar">
      <DeviceNames {...parts} />
      {button('minus', 'Comfy.Canvas.ZoomOut')}
      <button
        type="button"
        class="text"
        title={t('Zoom to 100%')}
        onClick={() => shortcuts.find('Noodle.Canvas.ZoomReset')?.run()}
      >
        {Math.round(state.zoom.value * 100)}%
      </button>
      {button('plus', 'Comfy.Canvas.ZoomIn')}
      {button('fit', 'Comfy.Canvas.FitView')}
      {button('tidy', 'Noodle.Canvas.Arrange')}
      {button('links', 'Comfy.Canvas.ToggleLinkVisibility', settings.linkStyle.value === -1)}
      {button(locked ? 'lock' : 'unlock', 'Comfy.Canvas.ToggleLock', locked)}
      {button('map', 'Comfy.Canvas.ToggleMinimap', settings.minimap.value)}
    </div>
  );
}

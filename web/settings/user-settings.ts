import { effect } from '@preact/signals';
import type { Server } from '../api/server.ts';
import { speak } from '../locale/translate.ts';
import { createSettings, type Settings } from './settings.ts';

/** The settings of the page's user, kept on the server; the page takes on their theme and language. */
export function userSettings(server: Pick<Server, 'settings' | 'saveSetting'>): Settings {
  const settings = createSettings({ save: server.saveSetting, storage: localStorage });
  void server
    .settings()
    .then(settings.loaded)
    .catch(() => undefined); // The browser's copy holds until the server answers again.
  effect(() => {
    document.documentElement.dataset.theme = settings.theme.value;
  });
  effect(() => void speak(settings.locale.value));
  return settings;
}

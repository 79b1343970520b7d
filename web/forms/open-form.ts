import { effect, signal } from '@preact/signals';
import { openSocket } from '../api/socket.ts';
import type { SavedForm } from './api.ts';
import { createFormModel } from './model.ts';
import type { FormPageParts, FormsParts } from './parts.ts';
import { createRuns } from './runs.ts';
import { keptValues, valuesOfLink } from './values.ts';

/** Loads a form, with the values of the link or else of the last visit, and follows its runs. */
export async function openForm(id: string, parts: FormsParts): Promise<FormPageParts> {
  const { api, server, clientId } = parts;
  const loaded = await api.form(id);
  const kept = keptValues(localStorage, id);
  const linked = valuesOfLink(loaded, location.hash);
  const form = signal<SavedForm>(loaded);
  const model = signal(createFormModel(loaded, { ...kept.read(), ...linked }));
  // A seed that somebody shared is meant to be that one.
  for (const key of Object.keys(linked)) model.value.drawSeed(key, false);
  effect(() => kept.write(model.value.values.value));
  effect(() => {
    document.title = `${titleOf(form.value)} - Noodle`;
  });
  const runs = createRuns({ api, form: id, clientId });
  const connected = signal(true);
  openSocket(server.socketUrl(clientId), {
    message: runs.message,
    frame: runs.frame,
    state: (connection, again) => {
      connected.value = connection !== 'lost';
      if (connection === 'open' && again) void runs.caughtUp();
    },
  });
  void runs.loadHistory().catch(() => undefined);
  return {
    ...parts,
    form,
    model,
    runs,
    connected,
    changed: (next) => {
      form.value = next;
      model.value = createFormModel(next);
    },
    reset: () => {
      kept.clear();
      model.value = createFormModel(form.value);
    },
  };
}

/** The form's title, else what its file is called. */
export const titleOf = ({ title, id }: Pick<SavedForm, 'title' | 'id'>): string =>
  title === '' ? id.slice(id.lastIndexOf('/') + 1) : title;

import { effect } from '@preact/signals';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import type { WorkflowDocument } from '../documents/document.ts';
import type { PageParts } from '../panels/parts.ts';
import type { ListModels } from './missing-models.ts';

const silentSetting = 'Noodle.MissingModels.Silent';
const shownKey = 'noodle.missing-models';

/** Tells, once for each workflow that is opened, which of its models are not on the server. */
export function watchModels(parts: PageParts): void {
  const { settings, state } = parts;
  effect(() => {
    const document = state.document.value;
    if (document.workflow === '' && document.source === null) return;
    if (!settings.missingModels.value || wasShown(document)) return;
    noteShown(document);
    void tellMissing(parts, document);
  });
}

async function tellMissing(parts: PageParts, document: WorkflowDocument): Promise<void> {
  const { editor, server, settings, state } = parts;
  const silent = asArray(settings.other(silentSetting));
  const file = editor.toWorkflow();
  if (typeof file.id === 'string' && silent.includes(file.id)) return;
  const { missingModels } = await import('./missing-models.ts');
  const models = await missingModels(editor.graph, file, listOf(server.url('models')));
  if (models.length === 0 || state.document.value !== document) return;
  const folders = await foldersOf(server.url('experiment/models'));
  const { openMissingModels } = await import('./models-dialog.tsx');
  openMissingModels({
    editor,
    state,
    models,
    folders,
    silence: (on) => {
      const others = silent.filter((id) => id !== file.id);
      void settings.setOther(silentSetting, on ? [...others, file.id] : others);
    },
  });
}

/** Reads the folders of models that the server has, each once. */
function listOf(base: string): ListModels {
  const names = listAt(base);
  const known = new Map<string, ReturnType<ListModels>>();
  return async (directory) => {
    if (!(await names)?.includes(directory)) return null;
    const list = known.get(directory) ?? listAt(`${base}/${encodeURIComponent(directory)}`);
    known.set(directory, list);
    return list;
  };
}

const listAt = (address: string): Promise<readonly string[] | null> =>
  fetch(address)
    .then(async (response) => (response.ok ? ((await response.json()) as string[]) : null))
    .catch(() => null);

/** The first place of each folder of models on the server's machine. */
async function foldersOf(address: string): Promise<ReadonlyMap<string, string>> {
  const data: unknown = await fetch(address)
    .then((response) => (response.ok ? response.json() : []))
    .catch(() => []);
  return new Map(
    asArray(data).flatMap((entry): [string, string][] => {
      if (!isRecord(entry) || typeof entry.name !== 'string') return [];
      const [first] = asArray(entry.folders);
      return typeof first === 'string' ? [[entry.name, first]] : [];
    }),
  );
}

/** A page that is loaded again asks no second time. */
const shown = (): unknown[] => {
  const stored: unknown = JSON.parse(sessionStorage.getItem(shownKey) ?? '[]');
  return Array.isArray(stored) ? stored : [];
};
const wasShown = ({ id }: WorkflowDocument): boolean => shown().includes(id);
const noteShown = ({ id }: WorkflowDocument): void =>
  sessionStorage.setItem(shownKey, JSON.stringify([...shown().slice(-200), id]));

import { createUuidv4 } from '@comfyorg/litegraph';
import { signal } from '@preact/signals';
import { isRecord } from '../../engine/workflow/records.ts';
import {
  blueprintOf,
  insertBlueprint as taken,
} from '../../engine/workflow/subgraphs/blueprint.ts';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { Server } from '../api/server.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import { levelOf, select, selectedSubgraphs } from './edits.ts';
import { refusal } from '../api/refused.ts';

/** A subgraph that can be taken into any workflow. */
export interface Blueprint {
  readonly name: string;
  /** The user's own, or brought by a node pack. */
  readonly own: boolean;
  readonly load: () => Promise<unknown>;
}

/** What there is, as it was listed last. */
export const blueprints = signal<readonly Blueprint[]>([]);

const folder = 'subgraphs/';

/** Lists the user's blueprints (`subgraphs/` of the user's files) and those of packs. */
export async function listBlueprints({ url }: Server): Promise<void> {
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(url(path), { cache: 'no-cache' });
    if (!response.ok) throw refusal(response.status, path);
    return toPlain(parseJson(await response.text()));
  };
  const [files, packs] = await Promise.all([
    get('v2/userdata').catch(() => []),
    get('global_subgraphs').catch(() => ({})),
  ]);
  const own = (Array.isArray(files) ? files : []).flatMap((item): Blueprint[] => {
    const path = isRecord(item) && item.type === 'file' ? String(item.path) : '';
    if (!path.startsWith(folder) || !path.endsWith('.json')) return [];
    const name = path.slice(folder.length, -'.json'.length);
    return [{ name, own: true, load: () => get(`userdata/${encodeURIComponent(path)}`) }];
  });
  const others = Object.entries(isRecord(packs) ? packs : {}).map(([id, entry]): Blueprint => ({
    name: isRecord(entry) ? String(entry.name) : id,
    own: false,
    load: async () => {
      const found = await get(`global_subgraphs/${encodeURIComponent(id)}`);
      const data: unknown = isRecord(found) ? found.data : null;
      return typeof data === 'string' ? toPlain(parseJson(data)) : data;
    },
  }));
  blueprints.value = [...own, ...others].sort((a, b) => a.name.localeCompare(b.name));
}

/** Asks for a name and keeps the selected subgraph for other workflows. */
export async function publishSelected({ editor, server, state }: PageParts): Promise<void> {
  const [node] = selectedSubgraphs(editor);
  if (node === undefined) {
    toast(state, t('Select the subgraph to publish'));
    return;
  }
  const name = await ask(state, {
    title: t('Publish the subgraph'),
    text: t('It is then found among the nodes, for every workflow.'),
    confirm: t('Publish'),
    field: node.title,
  });
  if (name === null || name === '') return;
  const file = blueprintOf(editor.toWorkflow(), levelOf(editor), node.id);
  const text = stringifyJson(file, { style: 'compact' });
  try {
    if (!(await write(server, name, text, false))) {
      const answer = await ask(state, {
        title: t('Replace the published subgraph?'),
        text: t('There is already one called {name}.', { name }),
        confirm: t('Replace'),
        danger: true,
      });
      if (answer === null) return;
      await write(server, name, text, true);
    }
    toast(state, t('{name} is published', { name }));
    await listBlueprints(server);
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}

/** Writes a blueprint; false when there is one of that name that must not be overwritten. */
async function write(
  { url }: Server,
  name: string,
  text: string,
  overwrite: boolean,
): Promise<boolean> {
  const path = encodeURIComponent(`${folder}${name.replace(/[\\/:*?"<>|]/g, '-')}.json`);
  const response = await fetch(url(`userdata/${path}?overwrite=${overwrite}`), {
    method: 'POST',
    body: text,
  });
  if (response.status === 409) return false;
  if (!response.ok) throw refusal(response.status);
  return true;
}

/** Puts a blueprint's subgraph on the canvas. */
export async function insertBlueprint(
  { editor, state }: Pick<PageParts, 'editor' | 'state'>,
  blueprint: Blueprint,
  pos: readonly [number, number],
): Promise<void> {
  try {
    const file = await blueprint.load();
    let made = -1;
    editor.documents.rewrite((workflow) => {
      const result = taken(workflow, file, {
        within: levelOf(editor),
        pos,
        uuid: createUuidv4,
      });
      made = result.instance;
      return result.workflow;
    });
    select(editor, [made]);
  } catch (error) {
    toast(state, `${blueprint.name}: ${messageOf(error)}`, 'error');
  }
}

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { sizeText } from '../../engine/size-text.ts';
import { readableName } from '../../engine/workflow/readable-name.ts';
import { draggedModel } from '../drop.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { SearchField } from '../panels/search-field.tsx';
import { SidePanel } from '../panels/side-panel.tsx';
import { toast } from '../state.ts';
import { hasLoader, placeModel } from './loaders.ts';
import { listModels, previewOf, type Model, type ModelFolder } from './model-files.ts';
import '../style/models.css';

/** Model files by folder: drag one onto the canvas, or click, for a node that loads it. */
export function ModelsPanel(parts: AppParts) {
  const { server, state } = parts;
  const folders = useSignal<readonly ModelFolder[] | null>(null);
  const text = useSignal('');
  const load = async (): Promise<void> => {
    folders.value = await listModels(server.url);
  };
  useEffect(() => void load(), []);
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name }: Model): boolean => words.every((word) => name.toLowerCase().includes(word));
  const shown = (folders.value ?? [])
    .map(({ name, files }) => ({ name, files: files.filter(fits) }))
    .filter(({ files }) => files.length > 0);
  return (
    <SidePanel
      title="Models"
      state={state}
      actions={
        <button type="button" aria-label={t('Look again')} title={t('Look again')} onClick={() => void load()}>
          <Icon name="reload" />
        </button>
      }
    >
      <SearchField text={text} label={t('Filter models')} className="panel-search" />
      {folders.value !== null && shown.length === 0 && (
        <p class="empty">
          {words.length > 0
            ? t('No model matches.')
            : t('There are no model files on this server yet. Put them into its models folder.')}
        </p>
      )}
      {shown.map((folder) => (
        <details key={folder.name} class="category" open>
          <summary>
            {readableName(folder.name)}
            <small>{folder.files.length}</small>
          </summary>
          {folder.files.map((model) => (
            <ModelRow key={`${model.place} ${model.name}`} {...parts} folder={folder.name} model={model} />
          ))}
        </details>
      ))}
    </SidePanel>
  );
}

function ModelRow({ editor, server, state, folder, model }: AppParts & { folder: string; model: Model }) {
  const hasPicture = useSignal(true);
  const add = (): void => {
    const { canvas } = editor;
    const { ds } = canvas;
    const at = [
      canvas.canvas.clientWidth / 2 / ds.scale - ds.offset[0] - 110,
      canvas.canvas.clientHeight / 2 / ds.scale - ds.offset[1] - 60,
    ] as const;
    if (placeModel(canvas, { folder, name: model.name }, at) !== null) return editor.documents.settle();
    toast(state, t('No node here loads files of {folder}', { folder }));
  };
  return (
    <button
      type="button"
      class="list-row model-row"
      draggable={hasLoader(folder)}
      title={`${model.name}\n${model.bytes > 0 ? sizeText(model.bytes) : ''}`}
      onDragStart={(e) =>
        e.dataTransfer?.setData(draggedModel, JSON.stringify({ folder, name: model.name }))
      }
      onClick={add}
    >
      {hasPicture.value ? (
        <img
          alt=""
          loading="lazy"
          src={previewOf(server.url, folder, model)}
          onError={() => {
            hasPicture.value = false;
          }}
        />
      ) : (
        <span class="model-picture">
          <Icon name="models" />
        </span>
      )}
      <span>{model.name}</span>
      <small>{model.bytes > 0 ? sizeText(model.bytes) : ''}</small>
    </button>
  );
}

import { SubgraphNode } from '@comfyorg/litegraph';
import { useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { PageParts } from '../panels/parts.ts';
import { openDialog, toast } from '../state.ts';
import { selectedSubgraphs } from './edits.ts';
import {
  keyOf,
  parametersOf,
  recommended,
  renameParameter,
  showParameters,
  type Parameter,
} from './parameters.ts';

type Parts = Pick<PageParts, 'editor' | 'objectInfo' | 'state'>;

/** Opens the list of what the selected subgraph shows of its inside. */
export function openParameters(parts: Parts): void {
  const [node] = selectedSubgraphs(parts.editor);
  if (node === undefined) {
    toast(parts.state, t('Select a subgraph'));
    return;
  }
  openDialog(parts.state, {
    title: 'Parameters of the subgraph',
    className: 'parameters',
    body: () => <Parameters {...parts} id={node.id} />,
  });
}

function Parameters({ editor, objectInfo, id }: Parts & { id: SubgraphNode['id'] }) {
  // Every change loads the graph anew: the node is looked up again.
  const version = useSignal(0);
  const node = version.value >= 0 ? editor.canvas.graph?.getNodeById(id) : null;
  if (!(node instanceof SubgraphNode)) return <p class="empty">{t('It is not there any more.')}</p>;
  const { shown, others } = parametersOf(node);
  const show = (list: readonly Parameter[]): void => {
    showParameters(editor, id, list);
    version.value++;
  };
  const move = (from: number, by: number): void => {
    const list = [...shown];
    list.splice(from + by, 0, ...list.splice(from, 1));
    show(list);
  };
  const rename = (parameter: Parameter, label: string): void => {
    if (label === parameter.label) return;
    renameParameter(editor, node, parameter, label);
    version.value++;
  };
  return (
    <div class="parameter-list">
      <h3>{t('Shown')}</h3>
      {shown.length === 0 && <p class="empty">{t('Nothing of the inside is shown.')}</p>}
      {shown.map((parameter, i) => (
        <div key={keyOf(parameter)} class="parameter-row">
          <input
            type="checkbox"
            checked
            aria-label={t('Show {name}', { name: parameter.label })}
            onChange={() => show(shown.filter((each) => each !== parameter))}
          />
          <input
            class="field"
            value={parameter.label}
            aria-label={t('Label of {name}', { name: parameter.name })}
            onChange={(event) => rename(parameter, event.currentTarget.value)}
          />
          <small>{parameter.node}</small>
          <button
            type="button"
            disabled={i === 0}
            aria-label={t('Move {name} up', { name: parameter.label })}
            onClick={() => move(i, -1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            disabled={i === shown.length - 1}
            aria-label={t('Move {name} down', { name: parameter.label })}
            onClick={() => move(i, 1)}
          >
            <Icon name="chevron" />
          </button>
        </div>
      ))}
      <h3>
        {t('Not shown')}
        <button
          type="button"
          class="text"
          onClick={() => show([...shown, ...recommended(node, others, objectInfo)])}
        >
          {t('Show the usual ones')}
        </button>
      </h3>
      {others.map((parameter) => (
        <label key={keyOf(parameter)} class="parameter-row">
          <input
            type="checkbox"
            checked={false}
            aria-label={t('Show {name}', { name: parameter.label })}
            onChange={() => show([...shown, parameter])}
          />
          <span>{parameter.label}</span>
          <small>{parameter.node}</small>
        </label>
      ))}
    </div>
  );
}

import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';

/** The levels around what is on the canvas, each a button that leads there. */
export function SubgraphTrail({ editor, state }: AppParts) {
  const { subgraphs } = editor;
  const levels = subgraphs.path.value;
  if (levels.length === 0) return null;
  return (
    <nav class="subgraph-trail" aria-label={t('Open subgraphs')}>
      <button type="button" onClick={() => subgraphs.goTo(0)}>
        <Icon name="back" />
        {state.document.value.name.value}
      </button>
      {levels.slice(0, -1).map(({ id, name }, i) => (
        <button key={id} type="button" onClick={() => subgraphs.goTo(i + 1)}>
          {name}
        </button>
      ))}
      <span aria-current="page">{levels[levels.length - 1].name}</span>
    </nav>
  );
}

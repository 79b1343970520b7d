import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { colorOfCategory } from '../graph/category.ts';
import { readableName } from '../../engine/workflow/readable-name.ts';
import { searchNodes, type FoundNode } from '../graph/search.ts';
import { colorOfType } from '../graph/theme.ts';
import { t } from '../locale/translate.ts';
import type { SearchRequest } from '../state.ts';
import { Icon } from './icons.tsx';
import { NodePreview } from '../node-library/node-preview.tsx';
import type { AppParts } from './parts.ts';

/** The node search that a double click or a dropped link opens. */
export function NodeSearch(parts: AppParts) {
  const request = parts.state.search.value;
  return request === null ? null : <SearchBox {...parts} request={request} />;
}

function SearchBox({ state, objectInfo, editor, request }: AppParts & { request: SearchRequest }) {
  const text = useSignal('');
  const active = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const filtered = useSignal(true);
  const accepts = filtered.value ? request.accepts : undefined;
  const found = searchNodes(objectInfo, text.value, accepts);
  const chosen = found[active.value] as FoundNode | undefined;
  const info = chosen === undefined ? undefined : objectInfo[chosen.type];

  // At once: what is typed right after the double click belongs here.
  useLayoutEffect(() => input.current?.focus(), []);
  useEffect(() => {
    list.current?.children[active.value]?.scrollIntoView({ block: 'nearest' });
  }, [active.value]);

  const close = (): void => {
    state.search.value = null;
    editor.canvas.canvas.focus();
  };
  const pick = (type: string): void => {
    close();
    request.pick(type);
  };
  const onKey = (event: KeyboardEvent): void => {
    const move = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (move !== 0) active.value = Math.max(0, Math.min(found.length - 1, active.value + move));
    else if (event.key === 'Enter' && found[active.value]) pick(found[active.value].type);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  };
  const wide = innerWidth > 900;
  const left = Math.max(8, Math.min(request.x - 40, innerWidth - (wide ? 640 : 388)));
  const top = Math.max(56, Math.min(request.y - 20, innerHeight - 420));
  return (
    <div class="search-shade" onPointerDown={(e) => e.target === e.currentTarget && close()}>
      <div
        class="search-box"
        role="dialog"
        aria-label={t('Add node')}
        style={{ left: `${left}px`, top: `${top}px` }}
      >
        <div class="search-field">
          <input
            ref={input}
            type="text"
            placeholder={t('Search nodes')}
            aria-label={t('Search nodes')}
            spellcheck={false}
            value={text.value}
            onInput={(e) => {
              text.value = e.currentTarget.value;
              active.value = 0;
            }}
            onKeyDown={onKey}
          />
          {accepts && (
            <button
              type="button"
              class="type-chip"
              style={{ '--type': colorOfType(accepts.type) }}
              title={t('Show nodes of every type')}
              onClick={() => {
                filtered.value = false;
                active.value = 0;
                input.current?.focus();
              }}
            >
              {readableName(accepts.type)}
              <Icon name="clear" />
            </button>
          )}
        </div>
        <div class="search-results" role="listbox" aria-label={t('Nodes')} ref={list}>
          {found.map((node, i) => (
            <button
              key={node.type}
              type="button"
              role="option"
              aria-selected={i === active.value}
              onPointerMove={() => (active.value = i)}
              onClick={() => pick(node.type)}
            >
              <i class="category-dot" style={{ background: colorOfCategory(node.category) }} />
              <span>{node.title}</span>
              {node.recent && <em data-mark="recent">{t('recent')}</em>}
              {node.mark !== null && <em data-mark={node.mark}>{node.mark}</em>}
              <small>{node.category}</small>
            </button>
          ))}
          {found.length === 0 && <p class="empty">{t('No node matches.')}</p>}
        </div>
        {wide && info && <NodePreview info={info} />}
      </div>
    </div>
  );
}

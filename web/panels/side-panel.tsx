import type { ComponentChildren } from 'preact';
import { t } from '../locale/translate.ts';
import type { State } from '../state.ts';
import { Icon } from './icons.tsx';

interface SidePanelParts {
  readonly title: string;
  readonly state: State;
  readonly className?: string;
  /** Over the whole page. */
  readonly 'data-wide'?: boolean;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The frame of a panel on the left: title, actions, close button, scrolling body. */
export function SidePanel({
  title,
  state,
  className = '',
  'data-wide': isWide,
  actions,
  children,
}: SidePanelParts) {
  return (
    <aside class={`side-panel ${className}`} aria-label={t(title)} data-wide={isWide}>
      <header>
        <h2>{t(title)}</h2>
        <span class="grow" />
        {actions}
        <button
          type="button"
          aria-label={t('Close {name}', { name: t(title) })}
          title={t('Close')}
          onClick={() => {
            state.sidePanel.value = null;
          }}
        >
          <Icon name="clear" />
        </button>
      </header>
      <div class="side-body">{children}</div>
    </aside>
  );
}

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { MenuView, State } from '../state.ts';

/** Draws the menu that is open, at its place; arrow keys go through it, Escape closes it. */
export function Menu({ state }: { state: State }) {
  const menu = state.menu.value;
  const close = (): void => {
    state.menu.value = null;
  };
  return menu === null ? null : <Items key={`${menu.x} ${menu.y}`} {...menu} close={close} />;
}

function Items({ label, x, y, items, close }: MenuView & { close: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = list.current;
    const before = document.activeElement;
    if (element === null) return;
    // Inside the page, wherever it was opened.
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
    element.querySelector('button')?.focus();
    return () => {
      if (document.activeElement === document.body) (before as HTMLElement | null)?.focus();
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' || event.key === 'Tab') close();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const buttons = [
        ...(list.current?.querySelectorAll('button:enabled') ?? []),
      ] as HTMLElement[];
      const place = buttons.indexOf(document.activeElement as HTMLElement);
      buttons[(place + step + buttons.length) % buttons.length]?.focus();
    } else if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu-cover" onPointerDown={(e) => e.target === e.currentTarget && close()}>
      <div ref={list} class="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
        {items.map((item, i) =>
          item === null ? (
            <hr key={i} />
          ) : (
            <button
              key={i}
              type="button"
              role="menuitem"
              disabled={item.disabled}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.label}
            </button>
          ),
        )}
      </div>
    </div>
  );
}

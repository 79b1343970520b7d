import { useLayoutEffect, useRef } from 'preact/hooks';
import type { State } from '../state.ts';
import { Icon } from './icons.tsx';

/** A picture over the whole page; arrow keys step, Escape closes. */
export function Lightbox({ state }: { state: State }) {
  const box = state.lightbox.value;
  const shell = useRef<HTMLDivElement>(null);
  const step = (by: number): void => {
    const now = state.lightbox.value;
    if (now === null) return;
    const count = now.images.length;
    state.lightbox.value = { ...now, index: (now.index + by + count) % count };
  };
  const close = (): void => {
    state.lightbox.value = null;
  };
  // Before the next frame: a key pressed at once must not miss it.
  useLayoutEffect(() => {
    if (box === null) return;
    shell.current?.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') close();
      else if (event.key === 'ArrowRight') step(1);
      else if (event.key === 'ArrowLeft') step(-1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener('keydown', onKey, true);
    return () => window.removeEventListener('keydown', onKey, true);
  }, [box === null]);

  if (box === null) return null;
  const image = box.images[box.index];
  const many = box.images.length > 1;
  return (
    <div
      ref={shell}
      class="lightbox"
      role="dialog"
      aria-modal="true"
      aria-label={image.label}
      tabIndex={-1}
      onClick={(e) => e.target === e.currentTarget && close()}
    >
      {many && (
        <button
          type="button"
          class="step previous"
          aria-label="Previous picture"
          onClick={() => step(-1)}
        >
          <Icon name="back" />
        </button>
      )}
      <img src={image.url} alt={image.label} />
      {many && (
        <button type="button" class="step next" aria-label="Next picture" onClick={() => step(1)}>
          <Icon name="next" />
        </button>
      )}
      <footer>
        <span>{image.label}</span>
        {many && (
          <span class="soft">
            {box.index + 1} / {box.images.length}
          </span>
        )}
        <a
          href={image.url}
          download={image.label}
          aria-label="Download the picture"
          title="Download"
        >
          <Icon name="download" />
        </a>
        <button type="button" aria-label="Close" title="Close (Escape)" onClick={close}>
          <Icon name="clear" />
        </button>
      </footer>
    </div>
  );
}

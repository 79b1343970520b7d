import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { State } from '../state.ts';
import { createControls } from '../viewer/controls.ts';
import { Stage } from '../viewer/stage.tsx';

/** A picture of a form over the whole page: the wheel zooms, arrow keys step, Escape closes. */
export function PictureView({ state }: { state: State }) {
  const box = state.lightbox.value;
  return box === null || box.images.length === 0 ? null : <Open state={state} />;
}

function Open({ state }: { state: State }) {
  const { images, index } = state.lightbox.value!;
  const picture = images[index];
  const shell = useRef<HTMLDivElement>(null);
  const controls = useMemo(createControls, []);
  const close = (): void => void (state.lightbox.value = null);
  const step = (by: number): void => {
    state.lightbox.value = { images, index: (index + by + images.length) % images.length };
  };
  // Before the next frame: a key pressed at once must not miss it. The focus goes back afterwards.
  useLayoutEffect(() => {
    const before = document.activeElement;
    shell.current?.focus();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const keys: Readonly<Record<string, () => void>> = {
    Escape: close,
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
  };
  return (
    <div
      ref={shell}
      class="lightbox"
      role="dialog"
      aria-modal="true"
      aria-label={picture.label}
      tabIndex={-1}
      onKeyDown={(e) => {
        if (!Object.hasOwn(keys, e.key)) return;
        e.preventDefault();
        keys[e.key]();
      }}
    >
      <Stage key={picture.url} picture={picture} compared={undefined} controls={controls} />
      <footer>
        <div class="viewer-tools">
          <span class="viewer-name">{picture.label}</span>
          {images.length > 1 && (
            <>
              <button type="button" aria-label={t('Previous picture')} onClick={() => step(-1)}>
                <Icon name="back" />
              </button>
              <button type="button" aria-label={t('Next picture')} onClick={() => step(1)}>
                <Icon name="next" />
              </button>
            </>
          )}
          <a
            class="run-link"
            href={picture.url}
            download={picture.label}
            aria-label={t('Download')}
            title={t('Download')}
          >
            <Icon name="download" />
          </a>
          <button type="button" aria-label={t('Close (Escape)')} onClick={close}>
            <Icon name="clear" />
          </button>
        </div>
      </footer>
    </div>
  );
}

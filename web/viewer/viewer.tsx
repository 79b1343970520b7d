import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { Icon, type IconName } from '../panels/icons.tsx';
import { copyPicture, savePicture, wordsOf } from '../pictures/file-actions.ts';
import { kindOf, type Picture } from '../pictures/picture.ts';
import type { Lightbox, State } from '../state.ts';
import { createControls } from './controls.ts';
import { Stage } from './stage.tsx';
import '../style/viewer.css';

export interface ViewerParts {
  readonly state: State;
  /** Opens the workflow that a picture carries, where there is a graph. */
  readonly openWorkflow?: (picture: Picture) => void;
}

/** A picture, film or sound over the whole page. Arrow keys step, the wheel zooms, Escape closes. */
export function Viewer(parts: ViewerParts & { readonly box: Lightbox }) {
  const { box, state, openWorkflow } = parts;
  const shell = useRef<HTMLDivElement>(null);
  const controls = useMemo(createControls, []);
  const picture = box.images[box.index];
  const kind = picture.kind ?? kindOf(picture.label);
  const compared = box.compared === undefined ? undefined : box.images[box.compared];
  const many = box.images.length > 1 && compared === undefined;

  const step = (by: number): void => {
    const count = box.images.length;
    state.lightbox.value = { images: box.images, index: (box.index + by + count) % count };
  };
  const close = (): void => {
    state.lightbox.value = null;
  };
  const leave = (): void => (compared === undefined ? close() : compare());
  const compare = (): void => {
    const { images, index } = box;
    const other = compared === undefined ? (index + 1) % images.length : undefined;
    state.lightbox.value = { images, index, compared: other };
  };
  const canCompare = kind === 'image' && box.images.length > 1;
  const keys: Readonly<Record<string, () => void>> = {
    Escape: leave,
    ArrowRight: () => many && step(1),
    ArrowLeft: () => many && step(-1),
    '0': () => controls.fit(),
    '1': () => controls.actualSize(),
    '+': () => controls.zoomBy(1.25),
    '=': () => controls.zoomBy(1.25),
    '-': () => controls.zoomBy(0.8),
    c: () => canCompare && compare(),
  };
  useFocus(shell);
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const tool = (name: IconName, label: string, run: () => void) => (
    <button type="button" title={label} aria-label={label} onClick={run}>
      <Icon name={name} />
    </button>
  );
  return (
    <div
      ref={shell}
      class="lightbox"
      role="dialog"
      aria-modal="true"
      aria-label={picture.label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      {kind === 'image' && (
        <Stage key={picture.url} picture={picture} compared={compared} controls={controls} />
      )}
      {kind === 'video' && (
        <video key={picture.url} class="viewer-video" src={picture.url} controls autoplay loop />
      )}
      {kind === 'audio' && <audio key={picture.url} src={picture.url} controls autoplay />}
      {many && (
        <>
          <button
            type="button"
            class="step previous"
            aria-label={t('Previous picture')}
            onClick={() => step(-1)}
          >
            <Icon name="back" />
          </button>
          <button
            type="button"
            class="step next"
            aria-label={t('Next picture')}
            onClick={() => step(1)}
          >
            <Icon name="next" />
          </button>
        </>
      )}
      <footer>
        <Words picture={picture} />
        <div class="viewer-tools">
          <span class="viewer-name">
            {picture.label}
            {compared && ` | ${compared.label}`}
          </span>
          {many && (
            <span class="soft">
              {box.index + 1} / {box.images.length}
            </span>
          )}
          <Scale controls={controls} isImage={kind === 'image'} />
          {kind === 'image' && tool('fit', t('Fit the window (0)'), () => controls.fit())}
          {kind === 'image' &&
            tool('actual', t('Pixel for pixel (1)'), () => controls.actualSize())}
          {canCompare && tool('compare', t('Compare with the next (C)'), compare)}
          {kind === 'image' &&
            tool('copy', t('Copy picture'), () => void copyPicture(parts, picture))}
          {tool('download', t('Download'), () => savePicture(picture))}
          {kind === 'image' &&
            openWorkflow !== undefined &&
            tool('document', t('Open its workflow'), () => {
              close();
              openWorkflow(picture);
            })}
          {tool('clear', t('Close (Escape)'), close)}
        </div>
      </footer>
    </div>
  );
}

/** Takes the focus while it is open and gives it back afterwards. */
function useFocus(shell: { current: HTMLElement | null }): void {
  // Before the next frame: a key pressed at once must not miss it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    shell.current?.focus();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  // What had it may be gone: the slider of a comparison, a button.
  useLayoutEffect(() => {
    if (shell.current?.contains(document.activeElement) === false) shell.current.focus();
  });
}

function Scale({
  controls,
  isImage,
}: {
  controls: ReturnType<typeof createControls>;
  isImage: boolean;
}) {
  const size = controls.size.value;
  if (!isImage || size === null) return null;
  const part = Math.round(controls.scale.value * devicePixelRatio * 100);
  return (
    <span class="soft viewer-scale">
      {size.width} × {size.height}, {part}%
    </span>
  );
}

/** Prompt and seed that the file carries. */
function Words({ picture }: { picture: Picture }) {
  const words = useSignal<{ url: string; text: string; seed: string | null } | null>(null);
  useEffect(() => {
    const { url } = picture;
    const keep = (found: { text: string; seed: string | null }): void => {
      words.value = { url, ...found };
    };
    if ((picture.kind ?? kindOf(picture.label)) === 'image') {
      wordsOf(picture).then(keep, () => undefined); // A file without words shows none.
    }
  }, [picture.url]);
  const found = words.value?.url === picture.url ? words.value : null;
  return (
    <p class="viewer-words">
      {found?.text}
      {found?.seed != null && <span class="soft"> {t('Seed {seed}', { seed: found.seed })}</span>}
    </p>
  );
}

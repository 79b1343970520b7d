import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import type { AppParts } from '../panels/parts.ts';
import { Cell } from './cell.tsx';
import type { Gallery } from './gallery.ts';
import { galleryKeys, onGalleryKey } from './keys.ts';

const gap = 8;
/** Pixels that a column has at least, and of the line with the name below a picture. */
const narrowest = 128;
const caption = 22;
/** Rows that are drawn above and below those in sight. */
const spare = 2;
/** Windows below the one in sight whose files are asked for. */
const ahead = 6;

/** All files in columns; only those near the window are in the document, however many there are. */
export function Grid({ gallery, parts }: { gallery: Gallery; parts: AppParts }) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const firstRow = useSignal(0);
  const files = gallery.files.value;
  const { width, height } = size.value;
  const columns = Math.max(2, Math.floor((width + gap) / (narrowest + gap)));
  const side = (width - gap * (columns - 1)) / columns;
  const pitch = side + caption + gap;
  const rows = Math.ceil(files.length / columns);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => {
      size.value = { width: element.clientWidth - 2, height: element.clientHeight };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const onScroll = (): void => {
    const element = box.current;
    if (element === null || pitch <= 0) return;
    const row = Math.floor(element.scrollTop / pitch);
    if (row !== firstRow.value) firstRow.value = row;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left < ahead * element.clientHeight) void gallery.more();
  };
  // A first page may not fill a large window.
  useEffect(onScroll, [files.length, height, pitch]);

  const from = Math.max(0, firstRow.value - spare) * columns;
  const to = (firstRow.value + Math.ceil(height / Math.max(1, pitch)) + spare) * columns;
  const cursor = gallery.selection.cursor.value;
  const shown = width <= 0 ? [] : [...files.keys()].slice(from, to);
  // The file with the keys stays, or the focus would be lost with it.
  if (cursor < files.length && width > 0 && !shown.includes(cursor)) shown.push(cursor);

  /** Brings a file into sight and gives it the focus. */
  const focus = (index: number): void => {
    gallery.selection.cursor.value = index;
    const element = box.current;
    if (element === null) return;
    const top = Math.floor(index / columns) * pitch;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + pitch > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + pitch - element.clientHeight;
    }
    requestAnimationFrame(() => {
      element.querySelector<HTMLElement>(`[data-index="${index}"] .open`)?.focus();
    });
  };
  return (
    <div
      ref={box}
      class="gallery-grid"
      role="list"
      aria-label={t('Files')}
      data-own-keys={galleryKeys}
      onScroll={onScroll}
      onKeyDown={(event) => onGalleryKey(event, gallery, parts, columns, focus)}
    >
      <div style={{ height: `${Math.max(0, rows * pitch - gap)}px` }} />
      {shown.map((index) => (
        <Cell
          key={files[index].path}
          file={files[index]}
          index={index}
          gallery={gallery}
          parts={parts}
          place={{
            left: (index % columns) * (side + gap),
            top: Math.floor(index / columns) * pitch,
            side,
          }}
        />
      ))}
    </div>
  );
}

import { LiteGraph } from '@comfyorg/litegraph';
import { sizeText } from '../../engine/size-text.ts';
import { draggedOutputs } from '../drop.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { pictureItems } from '../pictures/menu.ts';
import { Thumbnail } from '../pictures/thumbnail.tsx';
import type { Gallery } from './gallery.ts';
import { addressOf, pictureOf, type OutputFile } from './outputs-api.ts';
import { showFile } from './show.ts';

interface CellParts {
  readonly file: OutputFile;
  readonly index: number;
  readonly gallery: Gallery;
  readonly parts: AppParts;
  readonly place: { readonly left: number; readonly top: number; readonly side: number };
}

/** One file: its picture, its name, and marks for picking and liking it. */
export function Cell({ file, index, gallery, parts, place }: CellParts) {
  const { selection } = gallery;
  const { left, top, side } = place;
  const isPicked = selection.has(file.path);
  const click = (event: MouseEvent): void => {
    if (event.shiftKey) selection.extendTo(index);
    else if (event.ctrlKey || event.metaKey || selection.paths.value.size > 0) {
      selection.toggle(index);
    } else {
      selection.cursor.value = index;
      showFile(gallery, parts, index);
    }
  };
  return (
    <figure
      class="gallery-cell"
      role="listitem"
      data-index={index}
      data-picked={isPicked}
      style={{ width: `${side}px`, transform: `translate(${left}px, ${top}px)` }}
      onContextMenu={(event) => openMenu(event, file, gallery, parts)}
    >
      <button
        type="button"
        class="open"
        draggable
        tabIndex={selection.cursor.value === index ? 0 : -1}
        style={{ height: `${side}px` }}
        title={titleOf(file)}
        aria-label={t('Open {name}', { name: file.filename })}
        onClick={click}
        onDragStart={(event) => startDrag(event, file, gallery, parts)}
      >
        <Thumbnail
          kind={file.kind}
          label={file.filename}
          url={addressOf(parts.server, file.thumbnail_url ?? file.url)}
        />
      </button>
      <button
        type="button"
        class="pick"
        tabIndex={-1}
        aria-pressed={isPicked}
        aria-label={t('Select {name}', { name: file.filename })}
        onClick={(event) => (event.shiftKey ? selection.extendTo(index) : selection.toggle(index))}
      >
        <Icon name="check" />
      </button>
      {file.directory === 'output' && (
        <button
          type="button"
          class="like"
          tabIndex={-1}
          aria-pressed={file.favourite}
          aria-label={t('Favourite {name}', { name: file.filename })}
          onClick={() => void gallery.like([file], !file.favourite)}
        >
          <Icon name="heart" />
        </button>
      )}
      <figcaption>{file.filename}</figcaption>
    </figure>
  );
}

/** What a file tells in a few lines. */
function titleOf({ path, width, height, bytes, modified_at, prompt, seed }: OutputFile): string {
  const size = width === null || height === null ? '' : `${width} × ${height}, `;
  return [
    path,
    `${size}${sizeText(bytes)}, ${new Date(modified_at).toLocaleString()}`,
    prompt?.slice(0, 200),
    seed === null ? undefined : t('Seed {seed}', { seed }),
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** Files that are dragged: all selected ones when it is one of them. */
function startDrag(event: DragEvent, file: OutputFile, gallery: Gallery, parts: AppParts): void {
  const { selection } = gallery;
  const dragged = selection.has(file.path) ? selection.files.value : [file];
  const pictures = dragged.map((each) => pictureOf(parts.server, each));
  event.dataTransfer?.setData(draggedOutputs, JSON.stringify(pictures));
  event.dataTransfer?.setData(
    'DownloadURL',
    `${file.media_type}:${file.filename}:${pictures[dragged.indexOf(file)].url}`,
  );
}

function openMenu(event: MouseEvent, file: OutputFile, gallery: Gallery, parts: AppParts): void {
  event.preventDefault();
  const { selection } = gallery;
  const chosen = selection.has(file.path) ? selection.files.value : [file];
  const liked = chosen.every(({ favourite }) => favourite);
  const isOutput = file.directory === 'output';
  const items = [
    ...(chosen.length === 1 ? pictureItems(parts, pictureOf(parts.server, file)) : []),
    ...(isOutput
      ? [
          {
            content: liked ? t('No favourite any more') : t('Favourite'),
            callback: () => void gallery.like(chosen, !liked),
          },
          {
            content:
              chosen.length === 1
                ? t('Delete')
                : t('Delete {count} files', { count: chosen.length }),
            callback: () => void gallery.remove(chosen),
          },
        ]
      : []),
  ];
  if (items.length > 0) new LiteGraph.ContextMenu(items, { event });
}

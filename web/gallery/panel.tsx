import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { SidePanel } from '../panels/side-panel.tsx';
import { savePicture } from '../pictures/file-actions.ts';
import { galleryOf, type Gallery } from './gallery.ts';
import { Grid } from './grid.tsx';
import { pictureOf } from './outputs-api.ts';
import { compareSelected } from './show.ts';
import { Toolbar } from './toolbar.tsx';
import '../style/gallery.css';

/** Everything that was made, the newest first. */
export function GalleryPanel(parts: AppParts) {
  const gallery = galleryOf(parts);
  useEffect(() => gallery.follow(), [gallery]);
  const isWide = gallery.wide.value;
  return (
    <SidePanel
      title={t('Gallery')}
      className="gallery"
      data-wide={isWide}
      state={parts.state}
      actions={
        <button
          type="button"
          aria-pressed={isWide}
          title={isWide ? t('Beside the graph') : t('Over the whole page')}
          aria-label={isWide ? t('Beside the graph') : t('Over the whole page')}
          onClick={() => (gallery.wide.value = !isWide)}
        >
          <Icon name={isWide ? 'shrink' : 'fit'} />
        </button>
      }
    >
      <Toolbar gallery={gallery} />
      <Message gallery={gallery} />
      <Grid gallery={gallery} parts={parts} />
      <SelectionBar gallery={gallery} parts={parts} />
    </SidePanel>
  );
}

/** What is said where there is nothing to show. */
function Message({ gallery }: { gallery: Gallery }) {
  const { failure, files, total, query } = gallery;
  if (failure.value !== null) {
    return (
      <p class="empty" role="alert">
        {t('The files cannot be listed: {reason}', { reason: failure.value })}
        <button type="button" class="text" onClick={() => void gallery.load()}>
          {t('Try again')}
        </button>
      </p>
    );
  }
  if (files.value.length > 0 || total.value === null) return null;
  const isSearch = query.value.q !== '' || query.value.kind !== null || query.value.favourites;
  return (
    <p class="empty">
      {isSearch ? t('Nothing fits.') : t('What you make appears here. Press Queue, or Ctrl Enter.')}
    </p>
  );
}

function SelectionBar({ gallery, parts }: { gallery: Gallery; parts: AppParts }) {
  const { selection } = gallery;
  const files = selection.files.value;
  if (files.length === 0) return null;
  const liked = files.every(({ favourite }) => favourite);
  const isOutput = gallery.query.value.directory === 'output';
  const tool = (name: Parameters<typeof Icon>[0]['name'], label: string, run: () => void) => (
    <button type="button" title={label} aria-label={label} onClick={run}>
      <Icon name={name} />
    </button>
  );
  return (
    <footer class="gallery-selection" aria-label={t('Selection')}>
      <span class="grow" role="status">
        {t('{count} selected', { count: files.length })}
      </span>
      {files.length === 2 &&
        files.every(({ kind }) => kind === 'image') &&
        tool('compare', t('Compare'), () => compareSelected(gallery, parts))}
      {isOutput &&
        tool('heart', liked ? t('No favourite any more') : t('Favourite'), () => {
          void gallery.like(files, !liked);
        })}
      {tool('download', t('Download'), () => {
        for (const file of files) savePicture(pictureOf(parts.server, file));
      })}
      {isOutput && tool('trash', t('Delete'), () => void gallery.remove(files))}
      {tool('clear', t('Clear the selection'), () => selection.clear())}
    </footer>
  );
}

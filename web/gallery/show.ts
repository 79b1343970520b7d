import type { AppParts } from '../panels/parts.ts';
import type { Gallery } from './gallery.ts';
import { pictureOf } from './outputs-api.ts';

/** Shows a file in the viewer, which steps through all that were loaded. */
export function showFile(
  gallery: Gallery,
  { state }: Pick<AppParts, 'state'>,
  index: number,
): void {
  state.lightbox.value = { images: gallery.pictures.value, index };
}

/** Shows the two selected pictures side by side behind a slider. */
export function compareSelected(
  gallery: Gallery,
  { server, state }: Pick<AppParts, 'server' | 'state'>,
): void {
  const images = gallery.selection.files.value.filter(({ kind }) => kind === 'image');
  if (images.length !== 2) return;
  state.lightbox.value = {
    images: images.map((file) => pictureOf(server, file)),
    index: 0,
    compared: 1,
  };
}

import { signal } from '@preact/signals';
import type { PageParts } from '../panels/parts.ts';

export type LivePicture = ReturnType<typeof createLivePicture>;

/** The picture as it forms, while something runs. */
export function createLivePicture({ feed }: PageParts) {
  const url = signal<string | null>(null);
  const show = (next: string | null): void => {
    if (url.value !== null) URL.revokeObjectURL(url.value);
    url.value = next;
  };
  feed.onFrame((frame) => {
    if (frame.type !== 'previewWithMetadata') return;
    const type = frame.metadata.image_type;
    show(URL.createObjectURL(new Blob([frame.image.slice()], { type })));
  });
  feed.onMessage(({ type, data }) => {
    if (type === 'executing' && data.node === null) show(null);
    if (type === 'execution_error' || type === 'execution_interrupted') show(null);
  });
  return url;
}

import { lazily } from '../panels/lazily.tsx';

/** The gallery as a side panel; its code is loaded when it is opened. */
export const Gallery = lazily(async () => (await import('./panel.tsx')).GalleryPanel);

import { lazily } from '../panels/lazily.tsx';
import type { ViewerParts } from './viewer.tsx';

const Viewer = lazily(async () => (await import('./viewer.tsx')).Viewer);

/** What is shown over the whole page, if anything; its code is loaded with the first picture. */
export function LightboxView(parts: ViewerParts) {
  const box = parts.state.lightbox.value;
  return box === null || box.images.length === 0 ? null : <Viewer {...parts} box={box} />;
}

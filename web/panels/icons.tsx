/** Line icons, drawn on a 20 × 20 grid. */
const paths = {
  play: 'M6 4.2v11.6L15.5 10z',
  front: 'M5 4v12M8.5 10H17M12 5.5 8 10l4 4.5',
  pause: 'M7 5v10M13 5v10',
  stop: 'M6 6h8v8H6z',
  clear: 'M5 5l10 10M15 5 5 15',
  queue: 'M4 5.5h12M4 10h12M4 14.5h7',
  document: 'M5 3.5h7l3 3v10H5zM12 3.5v3h3M7.5 10h5M7.5 13h5',
  folder:
    'M3 6.5A1.5 1.5 0 0 1 4.5 5H8l1.8 2h5.7A1.5 1.5 0 0 1 17 8.5v5A1.5 1.5 0 0 1 15.5 15h-11A1.5 1.5 0 0 1 3 13.5z',
  nodes: 'M3.5 4h5v4h-5zM11.5 12h5v4h-5zM6 8v4.5A1.5 1.5 0 0 0 7.5 14h4',
  save: 'M4 4h9l3 3v9H4zM7 4v4h5V4M7 16v-5h6v5',
  download: 'M10 4v9M6.5 9.5 10 13l3.5-3.5M4 13v3h12v-3',
  undo: 'M4 8h8a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5',
  redo: 'M16 8H8a4 4 0 0 0 0 8h4M16 8l-3.5-3.5M16 8l-3.5 3.5',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.5v.1',
  fit: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  settings: 'M4 6.5h6M13 6.5h3M11.5 5v3M4 13.5h2M9 13.5h7M7.5 12v3',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  image: 'M3.5 4.5h13v11h-13zM3.5 13l3.5-3.5 3 3 2.5-2.5 4 4M12.5 7.6v.1',
  gallery: 'M3.5 3.5h5.5v5.5h-5.5zM11 3.5h5.5v5.5h-5.5zM3.5 11h5.5v5.5h-5.5zM11 11h5.5v5.5h-5.5z',
  heart: 'M10 16.2 4.4 10.6a3.5 3.5 0 0 1 5-5l.6.7.6-.7a3.5 3.5 0 0 1 5 5z',
  check: 'M4.5 10.5 8.5 14.5 15.5 6',
  compare: 'M10 3v14M3.5 5.5H10v9H3.5zM10 5.5h6.5v9H10',
  sound:
    'M8 15.5V5l7-1.5v10M8 15.5a2.2 2.2 0 1 1-2.2-2.2A2.2 2.2 0 0 1 8 15.5M15 13.5a2.2 2.2 0 1 1-2.2-2.2 2.2 2.2 0 0 1 2.2 2.2',
  shrink: 'M8 4v4H4M12 4v4h4M16 12h-4v4M8 16v-4H4',
  actual: 'M4 6.5 6 5v10M14 6.5 16 5v10M10 8v.1M10 12v.1',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  warning: 'M10 4 17 16H3zM10 9v3.5M10 14.3v.1',
  plus: 'M10 4.5v11M4.5 10h11',
  up: 'M6 12l4-4 4 4',
  chevron: 'M6 8l4 4 4-4',
  back: 'M12 5 7 10l5 5',
  next: 'M8 5l5 5-5 5',
  reload: 'M15.5 8A6 6 0 1 0 16 11.5M15.5 4v4h-4',
  brush:
    'M16 3.5 9 11M9 11c1.5.3 2 1.2 1.8 2.4C10.4 15.6 7 16.8 3.5 16c1.6-.8 1.7-1.8 2-3 .3-1.4 1.6-2.4 3.5-2z',
  eraser: 'M8.5 16H16M6 16l-3-3 8.5-9 5 5-6.5 7zM7 8.8l5 5',
  rectangle: 'M3.5 5h13v10h-13z',
  lasso:
    'M10 4c4 0 7 1.8 7 4.2S14 12.5 10 12.5 3 10.6 3 8.2 6 4 10 4M6 11.8c-1.4.4-1.6 2.2-.2 2.5 1.2.3.8 1.7-.3 2.2',
  bucket: 'M8 3.5v4M3.5 10.5 10 4l6 6-6 6zM3.5 10.5H16M17.3 13.5v.1',
  wand: 'M4 16l8-8M13.5 3v3M16.8 9.5h-3M16.5 4.5l-2 2M9.5 4.5l1 1M15.5 12.5l-1-1',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

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
  bookmark: 'M6 3.5h8v13l-4-3-4 3z',
  models: 'M10 3l6 3.2v7.6L10 17l-6-3.2V6.2zM4 6.2l6 3.3 6-3.3M10 9.5V17',
  chevron: 'M6 8l4 4 4-4',
  back: 'M12 5 7 10l5 5',
  next: 'M8 5l5 5-5 5',
  reload: 'M15.5 8A6 6 0 1 0 16 11.5M15.5 4v4h-4',
  more: 'M5 10v.1M10 10v.1M15 10v.1',
  star: 'M10 3.6l2 4.2 4.6.6-3.4 3.2.9 4.6-4.1-2.3-4.1 2.3.9-4.6L3.4 8.4 8 7.8z',
  map: 'M3.5 4.5h13v11h-13zM6 7.5h3v2H6zM11.5 11h3v2h-3z',
  lock: 'M5.5 9h9v7h-9zM7.5 9V6.5a2.5 2.5 0 0 1 5 0V9',
  unlock: 'M5.5 9h9v7h-9zM7.5 9V6.5a2.5 2.5 0 0 1 4.8-1',
  minus: 'M4.5 10h11',
  links: 'M3.5 5.5h2c5 0 4 9 9 9h2M3.5 5.5v.1M16.5 14.5v.1',
  palette:
    'M10 3.5a6.5 6.5 0 1 0 0 13c1.6 0 1.6-1.6.9-2.4-.8-1 0-2.1 1.1-2.1h2a2.5 2.5 0 0 0 2.5-2.5c0-3.3-2.9-6-6.5-6zM6.8 9.5v.1M9 6.8v.1M12.4 7.2v.1',
  bypass: 'M3.5 12.5h3c2 0 2-6 3.5-6s1.5 6 3.5 6h3M8 15.5h4',
  mute: 'M4 8v4h2.5L10 15V5L6.5 8zM13 8l3.5 4M16.5 8 13 12',
  fold: 'M4 5h12M4 15h12M10 8v4M8 10.5l2 2 2-2',
  align: 'M4 3.5v13M7 6h9M7 10h5M7 14h7',
  group: 'M4 7V4h3M13 4h3v3M16 13v3h-3M7 16H4v-3M7.5 7.5h5v5h-5z',
  subgraph: 'M3.5 4h13v12h-13zM6.5 8h3v3h-3zM11.5 11h2M9.5 9.5h2v3',
  info: 'M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10 9v4.5M10 6.6v.1',
  tidy: 'M3.5 5h4v4h-4zM12.5 5h4v4h-4zM12.5 11.5h4v4h-4zM7.5 7h5M10 7v6.5h2.5',
  brush:
    'M16 3.5 9 11M9 11c1.5.3 2 1.2 1.8 2.4C10.4 15.6 7 16.8 3.5 16c1.6-.8 1.7-1.8 2-3 .3-1.4 1.6-2.4 3.5-2z',
  eraser: 'M8.5 16H16M6 16l-3-3 8.5-9 5 5-6.5 7zM7 8.8l5 5',
  rectangle: 'M3.5 5h13v10h-13z',
  lasso:
    'M10 4c4 0 7 1.8 7 4.2S14 12.5 10 12.5 3 10.6 3 8.2 6 4 10 4M6 11.8c-1.4.4-1.6 2.2-.2 2.5 1.2.3.8 1.7-.3 2.2',
  bucket: 'M8 3.5v4M3.5 10.5 10 4l6 6-6 6zM3.5 10.5H16M17.3 13.5v.1',
  wand: 'M4 16l8-8M13.5 3v3M16.8 9.5h-3M16.5 4.5l-2 2M9.5 4.5l1 1M15.5 12.5l-1-1',
  dice: 'M3.5 3.5h13v13h-13zM6.8 6.7v.2M13.2 6.7v.2M10 9.9v.2M6.8 13.1v.2M13.2 13.1v.2',
  swap: 'M4 7.5h11M12 4.5l3 3-3 3M16 12.5H5M8 9.5l-3 3 3 3',
  camera: 'M3.5 6.5h3l1.5-2h4l1.5 2h3v9h-13zM10 8.3a2.6 2.6 0 1 0 .1 0',
  link: 'M8.5 11.5l3-3M9 6.5l1.8-1.8a3 3 0 0 1 4.4 4.3L13.5 11M11 13.5l-1.8 1.8A3 3 0 0 1 4.8 11L6.5 9',
  pencil: 'M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2zM11.5 5.7l2.8 2.8',
  grid: 'M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 11h5v5h-5z',
  form: 'M4 4.5h12M4 8h12v3.5H4zM4 15h7',
  curve: 'M3.5 3.5v13h13M6 5.5c1 5.5 3.5 8 10 8.5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

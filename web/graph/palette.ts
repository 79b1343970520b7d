/**
 * The colours of the page, by theme: the canvas reads them from `palette`, the style sheets as
 * variables (`nodeTitle` is `--node-title`). Texts keep 4.5:1 on every ground they lie on.
 */
export interface Palette {
  /** What the browser's own controls follow. */
  readonly scheme: 'dark' | 'light';
  // Grounds.
  readonly canvas: string;
  readonly grid: string;
  readonly ground: string;
  readonly bar: string;
  readonly panel: string;
  readonly raised: string;
  readonly raisedHover: string;
  readonly line: string;
  readonly lineSoft: string;
  // Nodes.
  readonly node: string;
  readonly nodeTitle: string;
  readonly nodeBorder: string;
  readonly nodeDot: string;
  readonly field: string;
  readonly fieldBorder: string;
  readonly fieldHover: string;
  readonly fieldFill: string;
  readonly fieldButton: string;
  readonly missing: string;
  readonly missingTitle: string;
  readonly link: string;
  // Texts.
  readonly text: string;
  readonly textSoft: string;
  readonly textDim: string;
  readonly strong: string;
  readonly anchor: string;
  // What stands out.
  readonly accent: string;
  readonly accentHover: string;
  readonly onAccent: string;
  readonly running: string;
  readonly bypass: string;
  readonly error: string;
  readonly errorText: string;
  readonly errorGround: string;
  readonly errorLine: string;
  readonly note: string;
  readonly noteGround: string;
  readonly warn: string;
  readonly warnGround: string;
  readonly tip: string;
  readonly shade: string;
  readonly shadow: string;
}

export type ThemeName = 'dark' | 'light' | 'contrast';

const dark: Palette = {
  scheme: 'dark',
  canvas: '#16171b',
  grid: '#2a2c34',
  ground: '#16171b',
  bar: '#1d1e23',
  panel: '#202228',
  raised: '#2a2c34',
  raisedHover: '#343741',
  line: '#3a3d47',
  lineSoft: '#2d3038',
  node: '#2b2e37',
  nodeTitle: '#383c47',
  nodeBorder: '#565c6b',
  nodeDot: '#7d8290',
  field: '#191b20',
  fieldBorder: '#444854',
  fieldHover: '#5a5f6d',
  fieldFill: '#4a3f22',
  fieldButton: '#3c414d',
  missing: '#452329',
  missingTitle: '#6e2f37',
  link: '#9aa0ae',
  text: '#e6e8ed',
  textSoft: '#b0b5c1',
  textDim: '#9aa0ad',
  strong: '#ffffff',
  anchor: '#8fb8f5',
  accent: '#f4b942',
  accentHover: '#ffcb62',
  onAccent: '#211a08',
  running: '#5bd38c',
  bypass: '#b98cf0',
  error: '#f2555a',
  errorText: '#ffb9b5',
  errorGround: '#33201f',
  errorLine: '#6b3937',
  note: '#9cc3ea',
  noteGround: '#2d3a48',
  warn: '#eba98d',
  warnGround: '#47312a',
  tip: '#0f1013',
  shade: 'rgb(10 10 13 / 60%)',
  shadow: '0 12px 32px rgb(0 0 0 / 45%), 0 2px 6px rgb(0 0 0 / 35%)',
};

const light: Palette = {
  scheme: 'light',
  canvas: '#e9ebef',
  grid: '#d3d7de',
  ground: '#ffffff',
  bar: '#ffffff',
  panel: '#f8f9fb',
  raised: '#eceef2',
  raisedHover: '#dfe2e8',
  line: '#c3c8d1',
  lineSoft: '#dcdfe5',
  node: '#ffffff',
  nodeTitle: '#e2e5eb',
  nodeBorder: '#9aa1af',
  nodeDot: '#868d9b',
  field: '#f3f4f7',
  fieldBorder: '#b9bfca',
  fieldHover: '#8a91a0',
  fieldFill: '#f4dfb4',
  fieldButton: '#e2e5eb',
  missing: '#fbe3e4',
  missingTitle: '#f2c6c9',
  link: '#6c7382',
  text: '#1d2026',
  textSoft: '#474c58',
  textDim: '#575d6b',
  strong: '#000000',
  anchor: '#1a56b0',
  accent: '#925600',
  accentHover: '#7a4700',
  onAccent: '#ffffff',
  running: '#12753f',
  bypass: '#7a3fc4',
  error: '#c4262e',
  errorText: '#9c1c23',
  errorGround: '#fdeaea',
  errorLine: '#e3a3a6',
  note: '#1c4f86',
  noteGround: '#dbe8f6',
  warn: '#7d3a18',
  warnGround: '#f8e3d9',
  tip: '#ffffff',
  shade: 'rgb(30 33 40 / 40%)',
  shadow: '0 12px 32px rgb(20 24 34 / 18%), 0 2px 6px rgb(20 24 34 / 12%)',
};

const highContrast: Palette = {
  scheme: 'dark',
  canvas: '#000000',
  grid: '#2b2b2b',
  ground: '#000000',
  bar: '#000000',
  panel: '#000000',
  raised: '#1f1f1f',
  raisedHover: '#333333',
  line: '#bdbdbd',
  lineSoft: '#8c8c8c',
  node: '#0d0d0d',
  nodeTitle: '#242424',
  nodeBorder: '#ffffff',
  nodeDot: '#ffffff',
  field: '#000000',
  fieldBorder: '#bdbdbd',
  fieldHover: '#ffffff',
  fieldFill: '#4d3d00',
  fieldButton: '#242424',
  missing: '#3d0006',
  missingTitle: '#6b000b',
  link: '#d9d9d9',
  text: '#ffffff',
  textSoft: '#e6e6e6',
  textDim: '#cfcfcf',
  strong: '#ffffff',
  anchor: '#9ccbff',
  accent: '#ffd23f',
  accentHover: '#ffe07a',
  onAccent: '#000000',
  running: '#5dff9f',
  bypass: '#d9b3ff',
  error: '#ff7d80',
  errorText: '#ffc9ca',
  errorGround: '#2e0003',
  errorLine: '#ff7d80',
  note: '#b5dbff',
  noteGround: '#00264d',
  warn: '#ffc6ab',
  warnGround: '#402000',
  tip: '#000000',
  shade: 'rgb(0 0 0 / 75%)',
  shadow: '0 0 0 1px #ffffff',
};

export const themes: Readonly<Record<ThemeName, Palette>> = {
  dark,
  light,
  contrast: highContrast,
};

/** The colours of the present theme. */
export const palette: { -readonly [K in keyof Palette]: Palette[K] } = { ...dark };

/** Makes a theme the present one; an unknown name is the dark one. */
export function setPalette(theme: string): void {
  Object.assign(palette, Object.hasOwn(themes, theme) ? themes[theme as ThemeName] : dark);
}

/** All themes as a style sheet: the dark one for everybody, the others by `data-theme`. */
export function themeSheet(): string {
  return Object.entries(themes)
    .map(([name, colors]) => {
      const lines = Object.entries(colors)
        .filter(([key]) => key !== 'scheme')
        .map(([key, color]) => `  --${dashed(key)}: ${String(color)};`);
      const selector = name === 'dark' ? ':root' : `:root[data-theme='${name}']`;
      return `${selector} {\n  color-scheme: ${colors.scheme};\n${lines.join('\n')}\n}\n`;
    })
    .join('\n');
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

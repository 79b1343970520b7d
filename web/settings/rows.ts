/** A setting that the user may change: what the dialog shows and what the store keeps. */
export interface SettingRow<T extends SettingValue = SettingValue> {
  /** The name it is kept under, ComfyUI's where it has such a setting: both pages share the file. */
  readonly id: string;
  /** One of `sections`, or one that a pack names. */
  readonly section: string;
  readonly label: string;
  readonly help?: string;
  readonly default: T;
  /** What may be chosen, value and label; a switch and a number have none. */
  readonly choices?: readonly (readonly [value: T, label: string])[];
  /** Limits of a number. */
  readonly range?: { readonly min: number; readonly max: number; readonly step: number };
  /** How a text is chosen where a plain field is not the way. */
  readonly control?: 'color';
}

export type SettingValue = boolean | number | string;

/** Parts of the dialog, in their order. */
export const sections = ['Appearance', 'Graph', 'Queue', 'Language'] as const;
export type Section = (typeof sections)[number];

const row = <T extends SettingValue>(
  given: SettingRow<T> & { readonly section: Section },
): SettingRow<T> => given;

/** All settings of the page by the name that code calls them. */
export const settingRows = {
  theme: row<string>({
    id: 'Comfy.ColorPalette',
    section: 'Appearance',
    label: 'Theme',
    default: 'dark',
    choices: [
      ['dark', 'Dark'],
      ['light', 'Light'],
      ['contrast', 'High contrast'],
    ],
  }),
  linkStyle: row<number>({
    id: 'Comfy.LinkRenderMode',
    section: 'Graph',
    label: 'Links',
    default: 2,
    choices: [
      [2, 'Curved'],
      [1, 'Slanted'],
      [0, 'Right angles'],
      [-1, 'Hidden'],
    ],
  }),
  snapToGrid: row<boolean>({
    id: 'pysssss.SnapToGrid',
    section: 'Graph',
    label: 'Always snap to the grid',
    help: 'Otherwise while Shift is held.',
    default: false,
  }),
  missingModels: row<boolean>({
    id: 'Comfy.Workflow.ShowMissingModelsWarning',
    section: 'Graph',
    label: 'Tell which models are missing when a workflow is opened',
    default: true,
  }),
  gridSize: row<number>({
    id: 'Comfy.SnapToGrid.GridSize',
    section: 'Graph',
    label: 'Grid size',
    default: 10,
    range: { min: 1, max: 500, step: 1 },
  }),
  minimap: row<boolean>({
    id: 'Comfy.Minimap.Visible',
    section: 'Graph',
    label: 'Map of the graph',
    default: false,
  }),
  selectionToolbox: row<boolean>({
    id: 'Comfy.Canvas.SelectionToolbox',
    section: 'Graph',
    label: 'Tools above the selection',
    default: true,
  }),
  idBadge: row<string>({
    id: 'Comfy.NodeBadge.NodeIdBadgeMode',
    section: 'Graph',
    label: 'Numbers of nodes above them',
    default: 'None',
    choices: [
      ['None', 'Never'],
      ['Show all', 'On all nodes'],
    ],
  }),
  sourceBadge: row<string>({
    id: 'Comfy.NodeBadge.NodeSourceBadgeMode',
    section: 'Graph',
    label: 'Names of node packs above nodes',
    default: 'Hide built-in',
    choices: [
      ['None', 'Never'],
      ['Hide built-in', 'On nodes of packs'],
      ['Show all', 'On all nodes'],
    ],
  }),
  locale: row<string>({
    id: 'Comfy.Locale',
    section: 'Language',
    label: 'Language',
    default: 'en',
    choices: [
      ['en', 'English'],
      ['zh', '简体中文'],
    ],
  }),
};

export type SettingName = keyof typeof settingRows;

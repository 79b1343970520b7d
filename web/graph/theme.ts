import { LGraphCanvas, LiteGraph } from '@comfyorg/litegraph';
import type { LGraphCanvas as Canvas } from '@comfyorg/litegraph';
import { drawDots } from './backdrop.ts';
import { standOut } from './color.ts';
import { palette, setPalette } from './palette.ts';

export { palette } from './palette.ts';

/** Link and socket colours by type, the ones ComfyUI users know. */
export const typeColors: Readonly<Record<string, string>> = {
  MODEL: '#B39DDB',
  CLIP: '#FFD500',
  VAE: '#FF6E6E',
  CONDITIONING: '#FFA931',
  LATENT: '#FF9CF9',
  IMAGE: '#64B5F6',
  MASK: '#81C784',
  CONTROL_NET: '#6EE7B7',
  CLIP_VISION: '#A8DADC',
  CLIP_VISION_OUTPUT: '#AD7452',
  STYLE_MODEL: '#C2FFAE',
  UPSCALE_MODEL: '#8FC7D8',
  NOISE: '#B0B0B0',
  GUIDER: '#66FFFF',
  SAMPLER: '#ECB4B4',
  SIGMAS: '#CDFFCD',
  TAESD: '#DCC274',
  INT: '#7FB4A0',
  FLOAT: '#9CCB86',
  STRING: '#C7B07F',
  BOOLEAN: '#C98FA0',
  COMBO: '#9FA8C4',
  AUDIO: '#E6A17A',
  VIDEO: '#7E9BE8',
  '*': '#9AA0AE',
};

export const uiFont = 'Inter, "Segoe UI", "Noto Sans", system-ui, "DejaVu Sans", sans-serif';

/** The colour of a socket type on the present canvas; unknown types get one from their name. */
export function colorOfType(type: unknown): string {
  const first = String(type).split(',')[0].trim();
  if (Object.hasOwn(typeColors, first)) {
    return standOut(typeColors[first], palette.canvas, palette.text, 2.2);
  }
  return colorOfName(first);
}

/** A stable colour for a name that has none of its own. */
export function colorOfName(name: string): string {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.charCodeAt(0)) % 360;
  return `hsl(${hash} 42% ${palette.scheme === 'dark' ? 66 : 42}%)`;
}

/** Sets the theme of everything that is drawn from now on; nodes of the canvas follow at once. */
export function applyTheme(theme = 'dark'): void {
  setPalette(theme);
  Object.assign(LiteGraph, {
    NODE_FONT: uiFont,
    DEFAULT_FONT: uiFont,
    GROUP_FONT: uiFont,
    NODE_TITLE_COLOR: palette.text,
    NODE_SELECTED_TITLE_COLOR: palette.strong,
    NODE_TEXT_COLOR: palette.textSoft,
    NODE_TEXT_HIGHLIGHT_COLOR: palette.strong,
    NODE_DEFAULT_COLOR: palette.nodeTitle,
    NODE_DEFAULT_BGCOLOR: palette.node,
    NODE_DEFAULT_BOXCOLOR: palette.nodeDot,
    NODE_BOX_OUTLINE_COLOR: palette.strong,
    NODE_ERROR_COLOUR: palette.error,
    NODE_TEXT_SIZE: 13,
    NODE_SUBTEXT_SIZE: 12,
    WIDGET_BGCOLOR: palette.field,
    WIDGET_OUTLINE_COLOR: palette.fieldBorder,
    WIDGET_TEXT_COLOR: palette.text,
    WIDGET_SECONDARY_TEXT_COLOR: palette.textSoft,
    WIDGET_DISABLED_TEXT_COLOR: palette.textDim,
    LINK_COLOR: palette.link,
    CONNECTING_LINK_COLOR: palette.accent,
    ROUND_RADIUS: 8,
    alt_drag_do_clone_nodes: true,
    release_link_on_empty_shows_menu: true,
    middle_click_slot_add_default_node: true,
    dialog_close_on_mouse_leave: false,
    search_hide_on_mouse_leave: false,
  });
  const known = [...Object.keys(typeColors), ...Object.keys(LGraphCanvas.link_type_colors)];
  for (const type of known) LGraphCanvas.link_type_colors[type] = colorOfType(type);
}

/** Gives one canvas the colours of the theme, the dotted background and ComfyUI's link style. */
export function styleCanvas(canvas: Canvas): void {
  Object.assign(canvas, {
    clear_background_color: palette.canvas,
    background_image: '',
    render_canvas_border: false,
    // Blurred shadows are most of the time of a frame where no graphics card draws; nodes have borders.
    render_shadows: false,
    render_connections_shadows: false,
    show_info: false,
    low_quality_zoom_threshold: 0.35,
    connections_width: 3,
    node_title_color: palette.text,
    default_link_color: palette.link,
    zoom_speed: 1.12,
    onRenderBackground: (element: HTMLCanvasElement, ctx: CanvasRenderingContext2D) =>
      drawDots(canvas, element, ctx),
  });
  canvas.ds.min_scale = 0.05;
  colorTypes(canvas, Object.keys(LGraphCanvas.link_type_colors));
}

/** Makes socket types without a fixed colour show theirs. */
export function colorTypes(canvas: Canvas, types: Iterable<string>): void {
  for (const type of types) {
    const color = colorOfType(type);
    LGraphCanvas.link_type_colors[type] = color;
    canvas.default_connection_color_byType[type] = color;
    canvas.default_connection_color_byTypeOff[type] = color;
  }
}

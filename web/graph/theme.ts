import { LGraphCanvas, LiteGraph } from '@comfyorg/litegraph';
import type { LGraphCanvas as Canvas } from '@comfyorg/litegraph';

/** Colours of everything drawn on the canvas; style/theme.css names the same ones for the page. */
export const palette = {
  canvas: '#16171b',
  grid: '#26282f',
  node: '#24262d',
  nodeTitle: '#2e3139',
  nodeBorder: '#3a3d47',
  field: '#191a1f',
  fieldBorder: '#3a3d46',
  fieldHover: '#4b4f5b',
  text: '#e3e5ea',
  textSoft: '#a4a9b6',
  textDim: '#7d828f',
  accent: '#f4b942',
  running: '#5bd38c',
  error: '#f2555a',
  missing: '#5a2a30',
  missingTitle: '#7a2f38',
} as const;

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

/** The colour of a socket type; unknown types get a stable one derived from their name. */
export function colorOfType(type: unknown): string {
  const name = String(type);
  const first = name.split(',')[0].trim();
  if (first in typeColors) return typeColors[first];
  let hash = 0;
  for (const c of first) hash = (hash * 31 + c.charCodeAt(0)) % 360;
  return `hsl(${hash} 42% 66%)`;
}

/** Sets litegraph's global look; call once before nodes are made. */
export function applyTheme(): void {
  Object.assign(LiteGraph, {
    NODE_FONT: uiFont,
    DEFAULT_FONT: uiFont,
    GROUP_FONT: uiFont,
    NODE_TITLE_COLOR: palette.text,
    NODE_SELECTED_TITLE_COLOR: '#ffffff',
    NODE_TEXT_COLOR: palette.textSoft,
    NODE_TEXT_HIGHLIGHT_COLOR: '#ffffff',
    NODE_DEFAULT_COLOR: palette.nodeTitle,
    NODE_DEFAULT_BGCOLOR: palette.node,
    NODE_DEFAULT_BOXCOLOR: '#6a6f7d',
    NODE_BOX_OUTLINE_COLOR: palette.text,
    NODE_ERROR_COLOUR: palette.error,
    NODE_TEXT_SIZE: 14,
    NODE_SUBTEXT_SIZE: 12,
    DEFAULT_SHADOW_COLOR: 'rgba(0,0,0,0.45)',
    WIDGET_BGCOLOR: palette.field,
    WIDGET_OUTLINE_COLOR: palette.fieldBorder,
    WIDGET_TEXT_COLOR: palette.text,
    WIDGET_SECONDARY_TEXT_COLOR: palette.textSoft,
    WIDGET_DISABLED_TEXT_COLOR: palette.textDim,
    LINK_COLOR: '#9aa0ae',
    CONNECTING_LINK_COLOR: palette.accent,
    ROUND_RADIUS: 8,
    alt_drag_do_clone_nodes: true,
    release_link_on_empty_shows_menu: true,
    middle_click_slot_add_default_node: true,
    dialog_close_on_mouse_leave: false,
    search_hide_on_mouse_leave: false,
  });
  for (const [type, color] of Object.entries(typeColors)) {
    LGraphCanvas.link_type_colors[type] = color;
  }
}

/** Gives one canvas its colours, the dotted background and ComfyUI's link style. */
export function styleCanvas(canvas: Canvas): void {
  Object.assign(canvas, {
    clear_background_color: palette.canvas,
    background_image: '',
    render_canvas_border: false,
    render_connections_border: true,
    render_connections_shadows: false,
    show_info: false,
    low_quality_zoom_threshold: 0.35,
    connections_width: 3,
    node_title_color: palette.text,
    default_link_color: '#9aa0ae',
    zoom_speed: 1.12,
    onRenderBackground: (element: HTMLCanvasElement, ctx: CanvasRenderingContext2D) =>
      drawDots(canvas, element, ctx),
  });
  canvas.ds.min_scale = 0.05;
  for (const [type, color] of Object.entries(typeColors)) {
    canvas.default_connection_color_byType[type] = color;
    canvas.default_connection_color_byTypeOff[type] = color;
  }
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

/** Plain background with a grid of dots that thins out with the zoom; true = already painted. */
function drawDots(canvas: Canvas, element: HTMLCanvasElement, ctx: CanvasRenderingContext2D) {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = palette.canvas;
  ctx.fillRect(0, 0, element.width, element.height);

  const ratio = window.devicePixelRatio;
  const { scale, offset } = canvas.ds;
  let gap = 20;
  while (gap * scale < 14) gap *= 4;
  const step = gap * scale * ratio;
  const radius = Math.max(0.6, Math.min(1.4, scale)) * ratio;
  const startX = (((offset[0] * scale * ratio) % step) + step) % step;
  const startY = (((offset[1] * scale * ratio) % step) + step) % step;
  ctx.fillStyle = palette.grid;
  ctx.beginPath();
  for (let x = startX; x < element.width; x += step) {
    for (let y = startY; y < element.height; y += step) {
      ctx.rect(x - radius, y - radius, radius * 2, radius * 2);
    }
  }
  ctx.fill();
  return true;
}

import type { LGraphNode } from '@comfyorg/litegraph';
import { palette } from './palette.ts';

type TitleButton = LGraphNode['title_buttons'][number];

/** Side of the mark's square, in the graph's units. */
const side = 11;

/** Draws the title button that opens a subgraph; litegraph's is a glyph of an icon font that is not here. */
export function drawOpenMark(button: TitleButton): void {
  button.getWidth = () => (button.visible ? side : 0);
  button.draw = (ctx, x, y) => {
    if (!button.visible) return;
    const left = x + button.xOffset;
    const top = y + button.yOffset;
    const area: { [i: number]: number } = button._last_area;
    [left, top, side, button.height].forEach((value, i) => (area[i] = value));
    const y0 = top + (button.height - side) / 2;
    ctx.save();
    ctx.strokeStyle = palette.textSoft;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    // two arrows out of the corners, joined
    ctx.moveTo(left + side - 4.5, y0);
    ctx.lineTo(left + side, y0);
    ctx.lineTo(left + side, y0 + 4.5);
    ctx.moveTo(left + side, y0);
    ctx.lineTo(left, y0 + side);
    ctx.moveTo(left + 4.5, y0 + side);
    ctx.lineTo(left, y0 + side);
    ctx.lineTo(left, y0 + side - 4.5);
    ctx.stroke();
    ctx.restore();
  };
}

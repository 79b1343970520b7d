import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DomWidget } from './multiline.ts';

/** A sound or a film to be played in a node. */
export interface MediaFile {
  readonly kind: 'audio' | 'video';
  readonly url: string;
  readonly name: string;
}

const heights = { audio: 46, video: 190 } as const;

/** Players for the sounds and films of a node, with the browser's own controls; never saved. */
export class Player extends BaseWidget<ICustomWidget> implements ICustomWidget, DomWidget {
  override type = 'custom' as const;
  override serialize = false;
  readonly isDomWidget = true as const;
  media: readonly MediaFile[] = [];
  #shell: HTMLElement | null = null;
  #shown: readonly MediaFile[] = [];

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override computeLayoutSize(): { minHeight: number; maxHeight?: number; minWidth: number } {
    const minHeight = this.media.reduce((sum, { kind }) => sum + heights[kind], 0);
    const growing = this.media.some(({ kind }) => kind === 'video');
    return { minHeight, minWidth: 1, ...(growing ? {} : { maxHeight: minHeight }) };
  }

  mount(): HTMLElement {
    if (this.#shell === null) {
      this.#shell = document.createElement('div');
      this.#shell.className = 'node-player';
    }
    return this.#shell;
  }

  refresh(): void {
    if (this.#shell === null || this.#shown === this.media) return;
    this.#shown = this.media;
    this.#shell.replaceChildren(...this.media.map(playerOf));
  }

  override drawWidget(): void {
    // The element over the canvas shows everything.
  }

  override onClick(): void {
    // The element has the controls.
  }
}

function playerOf({ kind, url, name }: MediaFile): HTMLElement {
  const player = document.createElement(kind);
  player.controls = true;
  player.preload = 'metadata';
  player.loop = kind === 'video';
  player.src = url;
  player.setAttribute('aria-label', name);
  return player;
}

/** What a browser plays of that name; null for all other files. */
export function mediaKind(name: string): MediaFile['kind'] | null {
  if (/\.(mp4|webm|mov|mkv|m4v|ogv)$/i.test(name)) return 'video';
  return /\.(wav|mp3|flac|ogg|opus|m4a|aac)$/i.test(name) ? 'audio' : null;
}

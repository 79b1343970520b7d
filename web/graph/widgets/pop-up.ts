import { closesOutside, placeNear } from './drop-down.ts';

export interface PopUp {
  /** What it is for its style. */
  readonly className: string;
  readonly label: string;
  /** A point of the page. */
  readonly at: { readonly x: number; readonly y: number };
  readonly content: HTMLElement;
}

/** Shows something below a point of the page; Escape, Enter, or a press elsewhere takes it away. */
export function openPopUp({ className, label, at, content }: PopUp): void {
  const root = document.createElement('div');
  root.className = `choice-list ${className}`;
  root.setAttribute('role', 'dialog');
  root.setAttribute('aria-label', label);
  root.tabIndex = -1;
  root.append(content);
  const close = closesOutside(root);
  root.addEventListener('keydown', (event) => {
    event.stopPropagation();
    const leaves = event.key === 'Escape' || (event.key === 'Enter' && !isPressed(event.target));
    if (!leaves) return;
    event.preventDefault();
    close();
  });
  document.body.append(root);
  placeNear(root, at);
  requestAnimationFrame(() => root.focus());
}

/** Whether Enter means something to an element itself. */
const isPressed = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('button, textarea, select');

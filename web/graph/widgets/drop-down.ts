/** Takes a list off the page when something outside is pressed; returns what does it at once. */
export function closesOutside(root: HTMLElement): () => void {
  const close = (): void => {
    root.remove();
    document.removeEventListener('pointerdown', onOutside, true);
  };
  const onOutside = (event: Event): void => {
    if (!root.contains(event.target as Node)) close();
  };
  document.addEventListener('pointerdown', onOutside, true);
  return close;
}

/** Puts a list that is on the page below a point of it, inside the window. */
export function placeNear(root: HTMLElement, { x, y }: { x: number; y: number }): void {
  const box = root.getBoundingClientRect();
  root.style.left = `${Math.max(4, Math.min(x - 20, innerWidth - box.width - 8))}px`;
  root.style.top = `${Math.max(4, Math.min(y + 8, innerHeight - box.height - 8))}px`;
}

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

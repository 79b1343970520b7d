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

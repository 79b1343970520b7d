/** A binary min-heap of strings by number. */
export interface Heap {
  push(rank: number, id: string): void;
  /** The smallest without removing it. */
  peek(): { readonly rank: number; readonly id: string } | undefined;
  pop(): void;
}

/** An empty heap. */
export function createHeap(): Heap {
  const items: { rank: number; id: string }[] = [];
  const swap = (a: number, b: number): void => {
    [items[a], items[b]] = [items[b], items[a]];
  };
  return {
    push(rank, id) {
      let at = items.push({ rank, id }) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (items[parent].rank <= items[at].rank) return;
        swap(at, parent);
        at = parent;
      }
    },
    peek: () => items[0],
    pop() {
      const last = items.pop();
      if (last === undefined || items.length === 0) return;
      items[0] = last;
      for (let at = 0; ;) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child < items.length && items[child].rank < items[least].rank) least = child;
        }
        if (least === at) return;
        swap(at, least);
        at = least;
      }
    },
  };
}

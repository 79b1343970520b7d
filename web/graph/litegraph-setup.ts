import { CanvasPointer, LiteGraph } from '@comfyorg/litegraph';

/**
 * Makes litegraph copy values exactly: its own deep copy goes through JSON text, which has no
 * 64-bit integers (seeds) and turns `undefined` holes into errors.
 */
export function useExactCopies(): void {
  const copy = (value: unknown, target?: unknown): unknown => {
    if (value === null || value === undefined) return null;
    const cloned = structuredClone(withoutFunctions(value));
    if (target === null || target === undefined) return cloned;
    return Object.assign(target, cloned);
  };
  LiteGraph.cloneObject = copy as typeof LiteGraph.cloneObject;
}

/** structuredClone refuses functions, which some slot objects carry; JSON used to drop them. */
function withoutFunctions(value: unknown): unknown {
  if (typeof value === 'function') return undefined;
  if (Array.isArray(value)) return value.map(withoutFunctions);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<number>);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => typeof member !== 'function');
    return Object.fromEntries(entries.map(([key, member]) => [key, withoutFunctions(member)]));
  }
  return value;
}

/** Two clicks are a double click for as long as desktops say (half a second); litegraph asks for quicker hands. */
export function allowSlowDoubleClicks(): void {
  CanvasPointer.doubleClickTime = 500;
}

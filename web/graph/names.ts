import { BaseWidget, LGraphNode } from '@comfyorg/litegraph';
import { readableName } from '../../engine/workflow/readable-name.ts';

interface Slot {
  readonly name: string;
  readonly label?: string;
  readonly localized_name?: string;
}

/** What a socket is called on the canvas; a label given by its user goes first. */
export const slotName = ({ label, localized_name: localized, name }: Slot): string =>
  label || (localized && localized !== name ? localized : '') || readableName(name);

/** Makes sockets and fields show readable names; what is saved keeps the program's own. */
export function useReadableNames(): void {
  Object.defineProperty(BaseWidget.prototype, 'displayName', {
    get(this: BaseWidget): string {
      return readableName(this.label || this.name);
    },
    configurable: true,
  });
  // litegraph does not export the class of sockets, only objects of it.
  const probe = new LGraphNode('');
  const socket = Object.getPrototypeOf(probe.addInput('', '*')) as object;
  Object.defineProperty(Object.getPrototypeOf(socket) as object, 'renderingLabel', {
    get: function (this: Slot): string {
      return slotName(this);
    },
    configurable: true,
  });
}

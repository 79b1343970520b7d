/**
 * What a pack's script registers with `app.registerExtension`, as ComfyUI's page documents it. All of
 * it comes from outside: nothing is sure but that there is a name.
 */
export interface Extension extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly commands?: readonly PackCommand[];
  readonly keybindings?: readonly PackKeybinding[];
  readonly menuCommands?: readonly {
    readonly path: readonly string[];
    readonly commands: readonly string[];
  }[];
  readonly settings?: readonly PackSetting[];
}

export interface PackCommand {
  readonly id: string;
  readonly label?: string | (() => string);
  readonly function: () => unknown;
}

export interface PackKeybinding {
  readonly commandId: string;
  readonly combo: {
    readonly key: string;
    readonly ctrl?: boolean;
    readonly alt?: boolean;
    readonly shift?: boolean;
  };
}

export interface PackSetting {
  readonly id: string;
  readonly name?: string;
  readonly type?: unknown;
  readonly defaultValue?: unknown;
  readonly attrs?: { readonly min?: number; readonly max?: number; readonly step?: number };
  readonly options?: unknown;
  readonly tooltip?: string;
  readonly category?: readonly string[];
  readonly onChange?: (value: unknown, before: unknown) => unknown;
}

/** Hooks that are called with the arguments ComfyUI gives them. */
export type Hook =
  | 'init'
  | 'setup'
  | 'addCustomNodeDefs'
  | 'getCustomWidgets'
  | 'beforeRegisterNodeDef'
  | 'registerCustomNodes'
  | 'nodeCreated'
  | 'loadedGraphNode'
  | 'beforeConfigureGraph'
  | 'afterConfigureGraph'
  | 'getNodeMenuItems'
  | 'getCanvasMenuItems';

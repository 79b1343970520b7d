import type { LGraphNode } from '@comfyorg/litegraph';
import type { ModelPictures } from '../models/model-files.ts';
import type { Vocabulary } from '../prompt-text/completion.ts';
import type { FileSource } from './widgets/file-list.ts';

/** What nodes ask of the page around them; tests in bare Node pass empty ones. */
export interface EditorHooks {
  /** A user asked to upload a file of this kind into the widget of that name. */
  readonly chooseFile: (node: LGraphNode, widgetName: string, kind: string) => void;
  /** A user asked to paint the value of the widget of that name. */
  readonly paint: (node: LGraphNode, widgetName: string) => void;
  /** The file chosen in an upload combo changed: show it. */
  readonly showInputFile: (node: LGraphNode, filename: string) => void;
  /** Where fields for files find what there is. */
  readonly files: FileSource;
  /** Pictures of model files that are chosen from. */
  readonly modelPictures: ModelPictures;
  /** What prompts may name. */
  readonly vocabulary: () => Promise<Vocabulary>;
  /** A value was edited by hand. */
  readonly edited: () => void;
  /** A node of a declared class was made. */
  readonly created: (node: LGraphNode) => void;
}

export const noHooks: EditorHooks = {
  chooseFile: () => undefined,
  paint: () => undefined,
  showInputFile: () => undefined,
  files: { list: () => Promise.resolve([]), thumbnail: () => '' },
  modelPictures: () => Promise.resolve(new Map()),
  vocabulary: () => Promise.resolve({ embeddings: [], loras: [], words: [] }),
  edited: () => undefined,
  created: () => undefined,
};

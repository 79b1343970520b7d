import type { LGraph, LGraphNode } from '@comfyorg/litegraph';
import type { Server } from '../api/server.ts';
import { annotated } from '../api/annotated.ts';
import type { ExecutionView } from './execution-view.ts';
import { isElsewhere, uploadKind } from './input-spec.ts';
import { allGraphs } from './load.ts';
import { NoodleNode } from './node.ts';
import { setMedia } from './node-pictures.ts';
import type { FileSource } from './widgets/file-list.ts';
import { mediaKind } from './widgets/player.ts';

interface InputFileParts {
  readonly graph: LGraph;
  readonly server: Server;
  readonly execution: ExecutionView;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** Uploading files into nodes, and showing on nodes the pictures chosen there. */
export function createInputFiles({ graph, server, execution, changed, failed }: InputFileParts) {
  const show = (node: LGraphNode, filename: string): void => {
    const bare = filename.replace(/ \[\w+\]$/, '');
    const kind = mediaKind(bare);
    if (kind !== null) {
      setMedia(node, [{ kind, name: bare, url: server.viewUrl(annotated(filename)) }]);
      return;
    }
    if (!/\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(bare)) return;
    void execution.showPictures(pathOf(graph, node), [server.viewUrl(annotated(filename))], false);
  };
  const give = (node: LGraphNode, widgetName: string, value: string): void => {
    const widget = node.widgets?.find((w) => w.name === widgetName);
    if (widget === undefined) return;
    const values: unknown = widget.options.values;
    if (Array.isArray(values) && !values.includes(value)) values.push(value);
    widget.value = value;
    show(node, value);
    changed();
  };
  const upload = async (node: LGraphNode, widgetName: string, file: File): Promise<void> => {
    try {
      give(node, widgetName, await server.upload(file));
    } catch (error) {
      failed(error);
    }
  };
  const showChosen = (node: LGraphNode): void => {
    const name = fileField(node);
    const widget = name === null ? undefined : node.widgets?.find((w) => w.name === name);
    if (typeof widget?.value !== 'string' || widget.value === '') return;
    const values: unknown = widget.options.values;
    // Files that are not there would only give a broken request.
    if (Array.isArray(values) && !values.includes(widget.value) && !isElsewhere(widget.value)) {
      return;
    }
    show(node, widget.value);
  };

  return {
    /** Sends a file to the server and chooses it in the node's field of that name. */
    upload,
    /** Chooses a file that lies on the server already in the node's field of that name. */
    give,
    /** Shows a file of the input folder (or an annotated one) on the node. */
    show,
    /** Shows the files chosen in all nodes, after they were made anew. */
    showAll: (): void =>
      allGraphs(graph)
        .flatMap((g) => g.nodes)
        .forEach(showChosen),
    /** Lets the user pick a file of that kind ('image', 'audio', 'video', 'file') to upload. */
    choose(node: LGraphNode, widgetName: string, kind: string): void {
      const input = document.createElement('input');
      input.type = 'file';
      if (kind !== 'file') input.accept = `${kind}/*`;
      input.addEventListener('change', () => {
        const file = input.files?.[0];
        if (file) void upload(node, widgetName, file);
      });
      input.click();
    },
  };
}

/** Files of the server's folders as values of fields: `name.png`, `name.png [output]`. */
export const createFileSource = (server: Server): FileSource => ({
  list: async (kind, from, words) =>
    (await server.mediaFiles(kind, from, words)).map((path) =>
      from === 'input' ? path : `${path} [${from}]`,
    ),
  thumbnail: (value) => server.thumbnailUrl(annotated(value)),
});

/** The field of a node that takes a picture, a sound or a film, if it has one. */
const fileField = (node: LGraphNode): string | null =>
  (node instanceof NoodleNode && node.specs.find((s) => uploadKind(s) !== null)?.name) || null;

/** The field of a node that takes a picture, if it has one. */
export const pictureField = (node: LGraphNode): string | null =>
  (node instanceof NoodleNode && node.specs.find((s) => uploadKind(s) === 'image')?.name) || null;

/** The execution id of a node: `12:5` for node 5 inside subgraph node 12. */
export function pathOf(graph: LGraph, node: LGraphNode): string {
  if (node.graph === graph) return String(node.id);
  const parent = allGraphs(graph)
    .flatMap((g) => g.nodes)
    .find((n) => n.isSubgraphNode() && n.subgraph === node.graph);
  return parent === undefined ? String(node.id) : `${pathOf(graph, parent)}:${node.id}`;
}

import { SubgraphNode, type LGraph, type LGraphNode } from '@comfyorg/litegraph';
import type { FileRef, NodeOutput } from '../api/types.ts';
import type { PackScripts } from '../extensions/pack-scripts.ts';
import { allGraphs } from './load.ts';
import { isRecord } from './input-spec.ts';
import { imagesOf, setCompared, setImages, setMedia, setText } from './node-pictures.ts';
import { statusOf } from './node-status.ts';
import type { NodeImage } from './widgets/image-view.ts';
import { mediaKind, type MediaFile } from './widgets/player.ts';

/** Shows on the nodes what the server reports about a run; ids may be paths (`12:5`). */
export type ExecutionView = ReturnType<typeof createExecutionView>;

export function createExecutionView(
  graph: LGraph,
  viewUrl: (file: FileRef) => string,
  executed: PackScripts['executed'],
) {
  /** What each node produced last, so that undo and reload can show it again. */
  let outputs = new Map<string, NodeOutput>();
  /** Latest request per node: an older picture that loads late is dropped. */
  const wanted = new Map<string, number>();
  let ticket = 0;
  /** Previews of an earlier run that are still being decoded are dropped. */
  let run = 0;

  const redraw = (): void => graph.setDirtyCanvas(true, true);
  const allNodes = (): LGraphNode[] => allGraphs(graph).flatMap((g) => g.nodes);

  const clearRunning = (): void => {
    for (const node of allNodes()) {
      const status = statusOf(node);
      status.running = false;
      status.progress = null;
    }
  };

  const showPictures = async (id: string, urls: readonly string[], live: boolean) => {
    const mine = ++ticket;
    wanted.set(id, mine);
    const loaded = await Promise.all(urls.map((url) => loadImage(url, live)));
    const images = loaded.filter((image) => image !== null);
    if (wanted.get(id) !== mine) return;
    const node = nodesOnPath(graph, id).at(-1);
    if (node) setImages(node, images);
  };

  const showCompared = async (node: LGraphNode, sides: readonly (FileRef | undefined)[]) => {
    const pictures = await Promise.all(
      sides.map(async (file) => (file && (await loadImage(viewUrl(file), false))) ?? undefined),
    );
    setCompared(node, pictures);
  };

  const showOutput = (id: string, output: NodeOutput): void => {
    const node = nodesOnPath(graph, id).at(-1);
    if (node === undefined) return;
    const files = imageFiles(output);
    if (files.length > 0) void showPictures(id, files.map(viewUrl), false);
    const media = mediaFiles(output, viewUrl);
    if (media.length > 0) setMedia(node, media);
    const sides = ['a_images', 'b_images'].map((key) => filesUnder(output, [key]).find(isPicture));
    if (sides.some((file) => file !== undefined)) void showCompared(node, sides);
    // A pack that takes the output shows it its own way.
    const isTaken = 'onExecuted' in node;
    if (Array.isArray(output.text) && !isTaken) setText(node, output.text.map(asText).join('\n'));
  };

  return {
    /** A run begins: marks of the last one go. */
    start(): void {
      clearRunning();
      for (const node of allNodes()) statusOf(node).error = false;
      redraw();
    },
    /** The node that runs now (and the subgraph nodes around it); null when none does. */
    running(id: string | null): void {
      clearRunning();
      if (id !== null) for (const node of nodesOnPath(graph, id)) statusOf(node).running = true;
      redraw();
    },
    progress(id: string, part: number | null): void {
      for (const node of nodesOnPath(graph, id)) statusOf(node).progress = part;
      redraw();
    },
    async preview(id: string, image: Blob): Promise<void> {
      const mine = ++ticket;
      const now = run;
      wanted.set(id, mine);
      const bitmap = await createImageBitmap(image).catch(() => null);
      const node = nodesOnPath(graph, id).at(-1);
      if (bitmap === null || node === undefined || wanted.get(id) !== mine || run !== now) return;
      for (const old of imagesOf(node)) if (old.source instanceof ImageBitmap) old.source.close();
      setImages(node, [{ source: bitmap, url: '', live: true }]);
    },
    executed(id: string, output: NodeOutput | null): void {
      if (output === null) return;
      outputs.set(id, output);
      showOutput(id, output);
      const node = nodesOnPath(graph, id).at(-1);
      if (node !== undefined) executed(node, output);
    },
    /** The run is over: previews of work in progress go, results stay. */
    finished(): void {
      clearRunning();
      run++;
      for (const node of allNodes()) {
        const [first] = imagesOf(node);
        if (first === undefined || !first.live) continue;
        if (first.source instanceof ImageBitmap) first.source.close();
        setImages(node, []);
      }
      redraw();
    },
    /** A node reports progress text (a size, a message). */
    text(id: string, text: string): void {
      const node = nodesOnPath(graph, id).at(-1);
      if (node !== undefined) setText(node, text);
    },
    failed(id: string): void {
      clearRunning();
      for (const node of nodesOnPath(graph, id)) statusOf(node).error = true;
      redraw();
    },
    /** Marks the inputs the server complained about. */
    inputErrors(id: string, names: readonly string[]): void {
      const node = nodesOnPath(graph, id).at(-1);
      for (const each of nodesOnPath(graph, id)) statusOf(each).error = true;
      for (const widget of node?.widgets ?? []) {
        if ('hasError' in widget || names.includes(widget.name)) {
          (widget as { hasError?: boolean }).hasError = names.includes(widget.name);
        }
      }
      for (const input of node?.inputs ?? []) input.hasErrors = names.includes(input.name);
      redraw();
    },
    clearErrors(): void {
      for (const node of allNodes()) {
        statusOf(node).error = false;
        for (const input of node.inputs) input.hasErrors = false;
        for (const widget of node.widgets ?? []) {
          if ('hasError' in widget) widget.hasError = false;
        }
      }
      redraw();
    },
    /** The nodes are those of another workflow, or made anew: shows what they produced last. */
    show(produced: Map<string, NodeOutput>): void {
      outputs = produced;
      wanted.clear();
      for (const [id, output] of outputs) showOutput(id, output);
    },
    showPictures,
    find: (id: string): LGraphNode | undefined => nodesOnPath(graph, id).at(-1),
  };
}

/** The nodes an execution id names, outermost first: `12:5` is node 5 inside subgraph node 12. */
export function nodesOnPath(graph: LGraph, id: string): LGraphNode[] {
  const direct = byId(graph, id);
  if (direct !== null) return [direct];
  const found: LGraphNode[] = [];
  let at: Pick<LGraph, 'getNodeById'> | null = graph;
  for (const part of id.split(':')) {
    const node: LGraphNode | null = at === null ? null : byId(at, part);
    if (node === null) break;
    found.push(node);
    at = node instanceof SubgraphNode ? node.subgraph : null;
  }
  return found;
}

const byId = (graph: Pick<LGraph, 'getNodeById'>, id: string): LGraphNode | null =>
  graph.getNodeById(id) ?? graph.getNodeById(Number(id)) ?? null;

const isPicture = ({ filename }: FileRef): boolean =>
  /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(String(filename));

/** References to pictures in an output, under whichever key they stand. */
export const imageFiles = (output: NodeOutput): FileRef[] =>
  filesUnder(output, ['images', 'gifs', 'animated_images']).filter(isPicture);

/** Sounds and films in an output. */
const mediaFiles = (output: NodeOutput, viewUrl: (file: FileRef) => string): MediaFile[] =>
  filesUnder(output, ['images', 'gifs', 'video', 'videos', 'audio']).flatMap((file) => {
    const name = String(file.filename);
    const kind = mediaKind(name);
    return kind === null ? [] : [{ kind, name, url: viewUrl(file) }];
  });

const filesUnder = (output: NodeOutput, keys: readonly string[]): FileRef[] =>
  keys
    .flatMap((key) => (Array.isArray(output[key]) ? (output[key] as unknown[]) : []))
    .filter((item): item is Record<string, unknown> & FileRef => isRecord(item));

function loadImage(url: string, live: boolean): Promise<NodeImage | null> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve({ source: image, url, live });
    image.onerror = () => resolve(null);
    image.src = url;
  });
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));

import type { IContextMenuValue } from '@comfyorg/litegraph';
import { pathOf } from '../graph/input-files.ts';
import { NoodleNode } from '../graph/node.ts';
import { imageMeant, imagesOf } from '../graph/node-pictures.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { pictureItems } from './menu.ts';
import { pictureAt } from './picture.ts';

/** Adds to the menus of nodes what can be done with their pictures, and running up to them. */
export function addPictureMenu(parts: PageParts): void {
  const { editor, runner } = parts;
  const { canvas, graph } = editor;
  canvas.menuParts.push((node): IContextMenuValue<string>[] => {
    const image = imagesOf(node)[imageMeant(node, canvas.graph_mouse)] as
      { readonly url: string } | undefined;
    const items =
      image === undefined || image.url === ''
        ? []
        : pictureItems(parts, pictureAt(image.url, node.title));
    if (!(node instanceof NoodleNode) || node.info?.output_node !== true) return items;
    const run = (): void => void runner.queue({ targets: [pathOf(graph, node)] });
    return [...items, { content: t('Run only to here'), callback: run }];
  });
}

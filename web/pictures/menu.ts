import type { IContextMenuValue } from '@comfyorg/litegraph';
import { t } from '../locale/translate.ts';
import { openWorkflowOf, pictureTargets, sendPicture, type ActionParts } from './actions.ts';
import { copyPicture, copyWords, savePicture } from './file-actions.ts';
import { isAudio, isVideo, type Picture } from './picture.ts';

export type MenuItem = IContextMenuValue<string>;

const item = (content: string, callback: () => void): MenuItem => ({ content, callback });

/** What one can do with a picture wherever it is shown, as entries of a context menu. */
export function pictureItems(parts: ActionParts, picture: Picture): MenuItem[] {
  const { label } = picture;
  const save = item(t('Save file'), () => savePicture(picture));
  if (isVideo(label) || isAudio(label)) return [save];
  const targets = pictureTargets(parts.editor);
  return [
    item(t('Copy picture'), () => void copyPicture(parts, picture)),
    save,
    {
      content: t('Send to'),
      has_submenu: true,
      submenu: {
        options: [
          ...targets.map((target) =>
            item(`${target.node.title} (${target.node.id})`, () => {
              void sendPicture(parts, picture, target);
            }),
          ),
          item(t('New Load Image node'), () => void sendPicture(parts, picture, null)),
        ],
      },
    },
    item(t('Copy prompt'), () => void copyWords(parts, picture)),
    item(t('Open its workflow'), () => void openWorkflowOf(parts, picture)),
  ];
}

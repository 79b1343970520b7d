/** The media files of a server's folders, for whoever shows them. */
import { createPictures } from '../../media/picture-thread.ts';
import type { Folders } from '../../store/folders.ts';
import { createFileDetails } from './file-details.ts';
import { createMediaLister } from './media-files.ts';
import { createMediaPager } from './media-page.ts';

export type Outputs = ReturnType<typeof createOutputs>;

function createOutputs(folders: Folders) {
  return {
    list: createMediaLister(folders),
    page: createMediaPager(createFileDetails()),
    pictures: createPictures(),
  };
}

const made = new WeakMap<Folders, Outputs>();

/** What is remembered of these folders; made at the first request. */
export function outputsOf(folders: Folders): Outputs {
  const outputs = made.get(folders) ?? createOutputs(folders);
  made.set(folders, outputs);
  return outputs;
}

import { signal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { CaptionChange, DatasetItem } from './api.ts';
import { createCaptions } from './captions.ts';
import type { TrainingParts } from './parts.ts';

export type DatasetLive = ReturnType<typeof createDatasetLive>;

const TEXT = /\.txt$/i;

/** Pictures that are asked for at once. */
const PAGE = 60;

/** A data set that is worked on. */
export function createDatasetLive(name: string, { api, server, state }: TrainingParts) {
  const items = signal<readonly DatasetItem[]>([]);
  const total = signal<number | null>(null);
  const problem = signal('');
  /** Files that are on their way. */
  const uploading = signal(0);
  const captions = createCaptions(name, api, localStorage);

  /** Reads the pictures again, as many as are shown and `more`. */
  const read = async (more = 0): Promise<void> => {
    try {
      const wanted = Math.max(PAGE, items.value.length) + more;
      const found: DatasetItem[] = [];
      for (let offset = 0; offset < wanted; offset += 1000) {
        const page = await api.dataset(name, offset, Math.min(1000, wanted - offset));
        found.push(...page.items);
        total.value = page.pictures;
        if (found.length >= page.pictures) break;
      }
      items.value = found;
      problem.value = '';
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  const takeCaption = async (file: File): Promise<void> => {
    const stem = file.name.replace(TEXT, '');
    const item = items.value.find(({ filename }) => filename.replace(/\.\w+$/, '') === stem);
    if (item === undefined)
      throw new Error(t('{name}: no picture has this name', { name: file.name }));
    await api.writeCaption(name, item.filename, await file.text());
  };
  const say = (error: unknown): void => toast(state, messageOf(error), 'error');

  return {
    name,
    items,
    total,
    problem,
    uploading,
    captions,
    read,
    showMore: (): Promise<void> => read(PAGE),
    /** Puts pictures into the folder, one after the other; text files are captions of pictures of their name. */
    upload: async (files: readonly File[]): Promise<void> => {
      const texts = files.filter((file) => TEXT.test(file.name));
      const pictures = files.filter(({ type }) => type.startsWith('image/'));
      uploading.value += pictures.length;
      for (const file of pictures) {
        await server.upload(file, name).catch(say);
        uploading.value--;
      }
      await read(pictures.length);
      for (const file of texts) await takeCaption(file).catch(say);
      if (texts.length > 0) {
        captions.forgetSaved();
        await read();
      }
    },
    remove: async ({ filename }: DatasetItem): Promise<void> => {
      try {
        await api.removePicture(name, filename);
        captions.forget(filename);
        await read();
      } catch (error) {
        say(error);
      }
    },
    /** Changes all captions; what was typed is saved before. */
    change: async (change: CaptionChange): Promise<void> => {
      if (!(await captions.saveAll())) {
        toast(state, t('Some captions could not be saved: nothing else was changed'), 'error');
        return;
      }
      try {
        const { changed } = await api.changeCaptions(name, change);
        captions.forgetSaved();
        await read();
        toast(state, t('{count} captions were changed', { count: changed }));
      } catch (error) {
        say(error);
      }
    },
  };
}

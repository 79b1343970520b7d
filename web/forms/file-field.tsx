import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { annotated } from '../api/annotated.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { FieldParts } from './field-parts.ts';

const accepts: Readonly<Record<string, string>> = {
  image: 'image/*',
  mask: 'image/*',
  video: 'video/*',
  audio: 'audio/*',
};

/** A file: chosen, dropped, taken with the camera, or one that is there; pictures can be painted on. */
export function FileField({ id, field, value, set, server, state, described }: FieldParts) {
  const chooser = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const isBusy = useSignal(false);
  const isOver = useSignal(false);
  const name = typeof value === 'string' ? value : '';
  const isPicture = field.kind === 'image' || field.kind === 'mask';
  const upload = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    isBusy.value = true;
    try {
      set(await server.upload(file));
    } catch (error) {
      toast(state, messageOf(error), 'error');
    } finally {
      isBusy.value = false;
    }
  };
  const paint = async (): Promise<void> => {
    const { paintFile } = await import('../mask/paint-file.ts');
    await paintFile(annotated(name), { server, state, saved: set });
  };
  const isPainted = isPicture && (field.masked || field.kind === 'mask');
  const options = (field.options ?? []).map(String);
  const listed = name === '' || options.includes(name) ? options : [name, ...options];
  return (
    <div
      class="form-file"
      data-over={isOver.value}
      onDragOver={(e) => {
        e.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(e) => {
        e.preventDefault();
        isOver.value = false;
        void upload(e.dataTransfer?.files[0]);
      }}
    >
      {isPicture && name !== '' && (
        <img src={server.viewUrl(annotated(name), 'webp;80')} alt={t('The chosen picture')} />
      )}
      <div class="form-file-choices">
        <button type="button" disabled={isBusy.value} onClick={() => chooser.current?.click()}>
          <Icon name="folder" />
          {isBusy.value ? t('Uploading') : t('Choose or drop a file')}
        </button>
        {isPicture && (
          <button
            type="button"
            class="form-camera"
            disabled={isBusy.value}
            onClick={() => camera.current?.click()}
          >
            <Icon name="camera" />
            {t('Camera')}
          </button>
        )}
        {isPainted && name !== '' && (
          <button type="button" onClick={() => void paint()}>
            <Icon name="brush" />
            {t('Paint the mask')}
          </button>
        )}
        <select id={id} value={name} onChange={(e) => set(e.currentTarget.value)} {...described}>
          {name === '' && <option value="">{t('Nothing chosen')}</option>}
          {listed.map((option) => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </select>
      </div>
      <input
        ref={chooser}
        type="file"
        hidden
        aria-label={t(field.label)}
        accept={accepts[field.kind]}
        onChange={(e) => void upload(e.currentTarget.files?.[0])}
      />
      <input
        ref={camera}
        type="file"
        hidden
        capture="environment"
        accept="image/*"
        aria-label={t('Camera')}
        onChange={(e) => void upload(e.currentTarget.files?.[0])}
      />
    </div>
  );
}

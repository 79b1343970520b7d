import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../panels/icons.tsx';
import type { Picture } from './picture.ts';
import '../style/thumbnail.css';

interface ThumbnailParts {
  readonly url: string;
  readonly label: string;
  readonly kind?: Picture['kind'];
}

/** A small picture that fills the place it is given, with a quiet shimmer until it is there. */
export function Thumbnail({ url, label, kind = 'image' }: ThumbnailParts) {
  const state = useSignal<'loading' | 'there' | 'failed'>('loading');
  const arrived = (): void => {
    state.value = 'there';
  };
  const failed = (): void => {
    state.value = 'failed';
  };
  const picture = useRef<HTMLImageElement>(null);
  // One that is scrolled past before it came is not waited for: what is in sight would wait behind it.
  useEffect(() => {
    const image = picture.current;
    return () => image?.removeAttribute('src');
  }, []);
  return (
    <span class="thumbnail" data-state={kind === 'audio' ? 'there' : state.value} data-kind={kind}>
      {kind === 'image' && state.value !== 'failed' && (
        <img
          ref={picture}
          src={url}
          alt={label}
          decoding="async"
          draggable={false}
          onLoad={arrived}
          onError={failed}
        />
      )}
      {kind === 'video' && (
        <video
          src={`${url}#t=0.1`}
          preload="metadata"
          muted
          onLoadedData={arrived}
          onError={failed}
        />
      )}
      {kind !== 'image' && <Icon name={kind === 'video' ? 'play' : 'sound'} />}
      {kind === 'image' && state.value === 'failed' && <Icon name="image" />}
    </span>
  );
}

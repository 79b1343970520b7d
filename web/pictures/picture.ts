/** A picture, film or sound on the server, wherever the page shows it. */
export interface Picture {
  /** The whole address of the file. */
  readonly url: string;
  readonly label: string;
  /** 'image' when left out. */
  readonly kind?: 'image' | 'video' | 'audio';
}

export const isVideo = (name: string): boolean => /\.(mp4|m4v|webm|mov|mkv|avi|ogv)$/i.test(name);
export const isAudio = (name: string): boolean =>
  /\.(mp3|wav|flac|ogg|oga|opus|m4a|aac|weba|aiff?)$/i.test(name);

/** A file of the server by its address, which names it. */
export function pictureAt(url: string, otherwise: string): Picture {
  const label = new URL(url, document.baseURI).searchParams.get('filename') ?? otherwise;
  return { url, label, kind: kindOf(label) };
}

/** What a file is by its name. */
export const kindOf = (name: string): NonNullable<Picture['kind']> =>
  isVideo(name) ? 'video' : isAudio(name) ? 'audio' : 'image';

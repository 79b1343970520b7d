/** Which endings count as pictures, sound and films in the input folder (Python's mimetypes table). */
export type InputKind = 'image' | 'audio' | 'video' | 'latent' | 'any';

const list = (endings: string): ReadonlySet<string> => new Set(endings.split(' '));

const ENDINGS: Readonly<Record<Exclude<InputKind, 'any'>, ReadonlySet<string>>> = {
  image: list(
    'avif bmp gif heic heif ico ief jpe jpeg jpg pbm pct pgm pic pict png pnm ppm ras rgb svg tif ' +
      'tiff webp xbm xpm xwd',
  ),
  audio: list(
    '3g2 3gp 3gpp 3gpp2 aac adts aif aifc aiff ass au flac loas m4a mp2 mp3 oga ogg opus ra rst snd wav weba',
  ),
  video: list('avi m1v m4v mkv mov movie mp4 mpa mpe mpeg mpg ogv qt webm'),
  latent: list('latent'),
};

/** Whether a file name has an ending of the kind; 'any' takes every name. */
export function isKind(name: string, kind: InputKind): boolean {
  if (kind === 'any') return true;
  return ENDINGS[kind].has(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}

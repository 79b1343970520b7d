/** What a file is by its name: the one table of endings, as Python's mimetypes have it on a Linux system. */

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  apng: 'image/apng',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  jpe: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  bmp: 'image/bmp',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  avif: 'image/avif',
  heic: 'image/heic',
  heif: 'image/heif',
  svg: 'image/svg+xml',
  ico: 'image/vnd.microsoft.icon',
  ief: 'image/ief',
  pct: 'image/pict',
  pic: 'image/pict',
  pict: 'image/pict',
  ras: 'image/x-cmu-raster',
  pnm: 'image/x-portable-anymap',
  pbm: 'image/x-portable-bitmap',
  pgm: 'image/x-portable-graymap',
  ppm: 'image/x-portable-pixmap',
  rgb: 'image/x-rgb',
  xbm: 'image/x-xbitmap',
  xpm: 'image/x-xpixmap',
  xwd: 'image/x-xwindowdump',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  mpe: 'video/mpeg',
  mpa: 'video/mpeg',
  m1v: 'video/mpeg',
  ogv: 'video/ogg',
  webm: 'video/webm',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  qt: 'video/quicktime',
  avi: 'video/x-msvideo',
  movie: 'video/x-sgi-movie',
  mp3: 'audio/mpeg',
  mp2: 'audio/mpeg',
  wav: 'audio/x-wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  weba: 'audio/webm',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
  adts: 'audio/aac',
  loas: 'audio/aac',
  ass: 'audio/aac',
  aif: 'audio/x-aiff',
  aifc: 'audio/x-aiff',
  aiff: 'audio/x-aiff',
  au: 'audio/basic',
  snd: 'audio/basic',
  ra: 'audio/x-pn-realaudio',
  '3gp': 'audio/3gpp',
  '3gpp': 'audio/3gpp',
  '3g2': 'audio/3gpp2',
  '3gpp2': 'audio/3gpp2',
  glb: 'model/gltf-binary',
  gltf: 'model/gltf+json',
  obj: 'model/obj',
  stl: 'model/stl',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  html: 'text/html',
  htm: 'text/html',
  xhtml: 'application/xhtml+xml',
  xht: 'application/xhtml+xml',
  xml: 'text/xml',
  js: 'application/javascript; charset=utf-8',
  mjs: 'application/javascript; charset=utf-8',
  css: 'text/css',
  eml: 'message/rfc822',
  mht: 'message/rfc822',
  mhtml: 'message/rfc822',
  zip: 'application/zip',
  pdf: 'application/pdf',
  wasm: 'application/wasm',
};

/** What a file of unknown kind is. */
export const UNKNOWN_TYPE = 'application/octet-stream';

/** Which files a node's input lists. */
export type InputKind = 'image' | 'audio' | 'video' | 'latent' | 'any';

const endingOf = (name: string): string => {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
};

/** The media type of a file name by its ending; `application/octet-stream` when unknown. */
export function contentType(name: string): string {
  const ending = endingOf(name);
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : UNKNOWN_TYPE;
}

/** Whether a file name has an ending of the kind; 'any' takes every name. */
export function isKind(name: string, kind: InputKind): boolean {
  if (kind === 'any') return true;
  if (kind === 'latent') return endingOf(name) === 'latent';
  return contentType(name).startsWith(`${kind}/`);
}

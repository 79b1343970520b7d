/** Media types by file ending, and which of them a browser must never run from our origin. */

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
  svg: 'image/svg+xml',
  ico: 'image/vnd.microsoft.icon',
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  webm: 'video/webm',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  avi: 'video/x-msvideo',
  mp3: 'audio/mpeg',
  wav: 'audio/x-wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  m4a: 'audio/mp4',
  aac: 'audio/aac',
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

const UNKNOWN = 'application/octet-stream';

/** The media type of a file name by its ending; `application/octet-stream` when unknown. */
export function contentType(name: string): string {
  const dot = name.lastIndexOf('.');
  const ending = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : UNKNOWN;
}

/** Whether a browser would run scripts of this type from our origin (parameters and case ignored). */
export function isDangerous(type: string): boolean {
  const bare = type.split(';')[0].trim().toLowerCase();
  return (
    /^text\/(html|html-sandboxed|javascript|css|xml)$|^application\/(xhtml\+xml|javascript|x-javascript|ecmascript|xml|wasm)$/.test(
      bare,
    ) ||
    /\+xml$|\/xml$/.test(bare) ||
    bare === 'message/rfc822'
  );
}

/**
 * Headers for a file that somebody else put on the server: dangerous types become downloads of
 * unknown type (an SVG stays inline where the browser asked for a picture), and nothing is sniffed.
 */
export function fileHeaders(name: string, fetchDestination?: string): Record<string, string> {
  const type = contentType(name);
  // eslint-disable-next-line no-control-regex -- control characters are what is replaced
  const quoted = name.replace(/[\u0000-\u001f\u007f]/g, '_').replace(/["\\]/g, '\\$&');
  const headers: Record<string, string> = { 'X-Content-Type-Options': 'nosniff' };
  if (!isDangerous(type)) {
    return {
      ...headers,
      'Content-Type': type,
      'Content-Disposition': `filename="${asLatin1(quoted)}"${extended(name)}`,
    };
  }
  const svgPicture = type === 'image/svg+xml' && fetchDestination === 'image';
  return {
    ...headers,
    'Content-Type': svgPicture ? type : UNKNOWN,
    'Content-Disposition': svgPicture
      ? `filename="${asLatin1(quoted)}"${extended(name)}`
      : `attachment; filename="${asLatin1(quoted)}"${extended(name)}`,
    Vary: 'Sec-Fetch-Dest',
    'Cache-Control': 'no-store',
  };
}

const asLatin1 = (text: string): string => text.replace(/[^\u0020-\u00ff]/g, '_');

/** RFC 5987 form of the name where the plain one cannot hold it. */
const extended = (name: string): string =>
  /^[\u0020-\u007e]*$/.test(name) ? '' : `; filename*=UTF-8''${encodeURIComponent(name)}`;

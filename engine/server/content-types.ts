/** Which files a browser must never run from our origin, and the headers that see to it. */
import { UNKNOWN_TYPE, contentType } from '../store/content-type.ts';

export { contentType };

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
    'Content-Type': svgPicture ? type : UNKNOWN_TYPE,
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

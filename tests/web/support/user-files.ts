/** What the mock server answers about a user's files, as ComfyUI's userdata routes do. */
type Files = Map<string, string>;

/** /v2/userdata: hidden files too. */
export const listed = (files: Files): object[] =>
  [...files.keys()].map((path) => ({ name: path, path, type: 'file' }));

/** /userdata/FILE and /userdata/FILE/move/TARGET. */
export function userFile(
  files: Files,
  url: URL,
  method: string,
  body: Buffer,
): { status: number; text: string } {
  const names = decodeURIComponent(url.pathname).slice('/userdata/'.length);
  const [from, to] = names.split('/move/') as [string, string | undefined];
  const there = files.get(from);
  const writes = method === 'POST' && to === undefined;
  if (!writes && there === undefined) return { status: 404, text: '' };
  if (method === 'GET') return { status: 200, text: there ?? '' };
  if (method === 'DELETE') {
    files.delete(from);
    return { status: 204, text: '' };
  }
  const target = to ?? from;
  if (url.searchParams.get('overwrite') === 'false' && files.has(target)) {
    return { status: 409, text: 'File already exists' };
  }
  if (to !== undefined) files.delete(from);
  files.set(target, writes ? body.toString() : (there ?? ''));
  return { status: 200, text: JSON.stringify(target) };
}

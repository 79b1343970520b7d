/** Assets as ComfyUI's API writes them. */
import { type Json, parseJson } from '../workflow/lossless-json.ts';
import type { Asset } from './records.ts';
import { type AssetRoots, placeOf, viewAddress } from './roots.ts';

/** What a client can show from the bytes themselves. */
const SHOWN = /^(image|video|audio|text)\//;

/** The API's object of an asset; what is not known is left out. */
export function assetJson(
  roots: AssetRoots,
  asset: Asset,
  tags: readonly string[],
): Record<string, Json> {
  const { content, job } = asset;
  const place = placeOf(roots, content.path);
  const fields: Record<string, Json | undefined> = {
    id: asset.uuid,
    name: asset.name,
    hash: content.hash === undefined ? undefined : `blake3:${content.hash}`,
    loader_path: place?.loaderPath,
    display_name: place?.displayName,
    size: content.size,
    mime_type: asset.mime,
    tags: [...tags],
    preview_url: previewAddress(roots, asset),
    preview_id: asset.previewUuid,
    user_metadata: parseJson(asset.userMetadata),
    metadata: asset.metadata === undefined ? undefined : parseJson(asset.metadata),
    job_id: job,
    prompt_id: job,
    created_at: isoTime(asset.created),
    updated_at: isoTime(asset.updated),
    last_access_time: asset.accessed === undefined ? undefined : isoTime(asset.accessed),
  };
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
}

/** A chosen preview is one whatever it holds; without one the file itself, if it can be shown. */
function previewAddress(roots: AssetRoots, asset: Asset): string | undefined {
  if (asset.previewUuid !== undefined) {
    return asset.previewPath === undefined ? undefined : viewAddress(roots, asset.previewPath);
  }
  if (asset.missing || !SHOWN.test(asset.mime ?? '')) return undefined;
  return viewAddress(roots, asset.content.path);
}

/** ISO 8601 in UTC, from microseconds since 1970. */
export function isoTime(microseconds: number): string {
  const fraction = String(((microseconds % 1e6) + 1e6) % 1e6).padStart(6, '0');
  const seconds = Math.floor(microseconds / 1e6);
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${fraction}Z`;
}

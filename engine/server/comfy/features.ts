/** What GET /features and the websocket say this server can do. */
import type { FeatureFlags } from '../../protocol.ts';

export interface FeatureOptions {
  /** Bytes. */
  readonly maxUploadSize: number;
  /** Whether there is an assets API. */
  readonly assets: boolean;
  /** Of --feature-flag; cannot replace the server's own. */
  readonly extra: Readonly<Record<string, string | boolean>>;
}

/** The flags; node managers are not there, and clients are told so. */
export function featureFlags({ maxUploadSize, assets, extra }: FeatureOptions): FeatureFlags {
  return {
    ...extra,
    supports_preview_metadata: true,
    max_upload_size: maxUploadSize,
    node_replacements: true,
    assets,
    supports_model_type_tags: true,
    extension: { manager: { supports_v4: false } },
  };
}

/** Keeps the credentials of a prompt out of what is told about it. */
import { entriesOf, objectOf } from '../workflow/lossless-json.ts';
import type { Json } from '../workflow/lossless-json.ts';

/** extra_data keys that hold credentials. */
const KEYS = ['auth_token_comfy_org', 'api_key_comfy_org'];

/** Shorter texts occur by chance everywhere. */
const SHORTEST = 4;

/**
 * Replaces the prompt's credentials in all texts of a report (lists and plain objects are walked):
 * a node that fails tells its inputs, its message and its trace, and history keeps them.
 */
export function redact<T>(report: T, extraData: Readonly<Record<string, Json>>): T {
  const secrets = KEYS.map((key) => extraData[key]).filter(
    (secret): secret is string => typeof secret === 'string' && secret.length >= SHORTEST,
  );
  if (secrets.length === 0) return report;
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), value);
    }
    if (Array.isArray(value)) return value.map(clean);
    if (value === null || typeof value !== 'object') return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return objectOf(
      entriesOf(value as Record<string, unknown>).map(([key, item]) => [key, clean(item)] as const),
    );
  };
  return clean(report) as T;
}

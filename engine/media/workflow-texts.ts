/** The texts that ComfyUI writes into saved files. */
import { entriesOf, stringifyJson } from '../workflow/lossless-json.ts';
import { isTextKey } from './formats/png/encode.ts';

/**
 * `prompt` and one entry per key of `extra_pnginfo`, as ASCII-only JSON with Python's separators;
 * absent parts (null, undefined) and keys that a PNG cannot hold are left out.
 */
export function workflowTexts(
  prompt: unknown,
  extraPngInfo: unknown,
): (readonly [key: string, value: string])[] {
  const texts: (readonly [string, string])[] = [];
  if (prompt !== undefined && prompt !== null) texts.push(['prompt', stringifyJson(prompt)]);
  if (typeof extraPngInfo === 'object' && extraPngInfo !== null) {
    for (const [key, value] of entriesOf(extraPngInfo as Record<string, unknown>)) {
      if (isTextKey(key)) texts.push([key, stringifyJson(value)]);
    }
  }
  return texts;
}

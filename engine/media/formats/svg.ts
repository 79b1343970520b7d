/** SVG texts. */
import { stringifyJson } from '../../workflow/lossless-json.ts';

/** The text with `values` as JSON in a metadata element behind each opening svg tag; none for no values. */
export function withMetadata(svg: string, values: Readonly<Record<string, unknown>>): string {
  if (Object.keys(values).length === 0) return svg;
  // The end of a CDATA section must not occur inside it.
  const json = stringifyJson(values, { indent: 2 }).replaceAll(']]>', ']]]]><![CDATA[>');
  const element = `  <metadata>\n    <![CDATA[\n${json}\n    ]]>\n  </metadata>\n`;
  return svg.replace(/<svg[^>]*>/g, (tag) => `${tag}\n${element}`);
}

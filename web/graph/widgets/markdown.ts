/**
 * A small, safe Markdown view for notes: headings, paragraphs, lists, code, bold, italics, links
 * (http and https only). Builds elements and text nodes; nothing is parsed as HTML.
 */
export function renderMarkdown(text: string, doc: Document): Node[] {
  const blocks: Node[] = [];
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (line.trim() === '') at++;
    else if (heading) {
      blocks.push(element(doc, `h${Math.min(6, heading[1].length + 2)}`, heading[2]));
      at++;
    } else if (line.startsWith('```')) {
      const end = lines.findIndex((l, i) => i > at && l.startsWith('```'));
      const stop = end < 0 ? lines.length : end;
      const pre = doc.createElement('pre');
      pre.textContent = lines.slice(at + 1, stop).join('\n');
      blocks.push(pre);
      at = stop + 1;
    } else if (listItem.test(line)) {
      const list = doc.createElement(/^\s*\d/.test(line) ? 'ol' : 'ul');
      while (at < lines.length && listItem.test(lines[at])) {
        list.append(element(doc, 'li', lines[at].replace(listItem, '')));
        at++;
      }
      blocks.push(list);
    } else if (/^\s*(-{3,}|\*{3,})\s*$/.test(line)) {
      blocks.push(doc.createElement('hr'));
      at++;
    } else {
      const paragraph: string[] = [];
      while (at < lines.length && lines[at].trim() !== '' && !/^(#{1,6}\s|```)/.test(lines[at])) {
        if (listItem.test(lines[at])) break;
        paragraph.push(lines[at++]);
      }
      blocks.push(element(doc, 'p', paragraph.join('\n')));
    }
  }
  return blocks;
}

const listItem = /^\s*(?:[-*+]|\d+[.)])\s+/;

function element(doc: Document, tag: string, text: string): HTMLElement {
  const made = doc.createElement(tag);
  made.append(...inline(doc, text));
  return made;
}

const inlinePattern =
  /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]*)\]\(([^)\s]+)\)|(https?:\/\/[^\s)<>]+)/;

function inline(doc: Document, text: string): Node[] {
  const nodes: Node[] = [];
  let rest = text;
  for (;;) {
    const match = inlinePattern.exec(rest);
    if (match === null) break;
    if (match.index > 0) nodes.push(doc.createTextNode(rest.slice(0, match.index)));
    const [whole, code, bold, bold2, italic, label, target, url] = match;
    if (code !== undefined) {
      const made = doc.createElement('code');
      made.textContent = code;
      nodes.push(made);
    } else if (bold !== undefined || bold2 !== undefined) {
      nodes.push(element(doc, 'strong', bold ?? bold2));
    } else if (italic !== undefined) nodes.push(element(doc, 'em', italic));
    else nodes.push(link(doc, label ?? url, target ?? url));
    rest = rest.slice(match.index + whole.length);
  }
  if (rest !== '') nodes.push(doc.createTextNode(rest));
  return nodes;
}

function link(doc: Document, label: string, target: string): Node {
  if (!/^https?:\/\//i.test(target)) return doc.createTextNode(label);
  const made = doc.createElement('a');
  made.href = target;
  made.target = '_blank';
  made.rel = 'noopener noreferrer';
  made.textContent = label || target;
  return made;
}

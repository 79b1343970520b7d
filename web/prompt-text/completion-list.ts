import { t } from '../locale/translate.ts';
import { completionAt, type Completion, type Suggestion, type Vocabulary } from './completion.ts';
import { typeInto } from './type-into.ts';

const kinds: Readonly<Record<Suggestion['kind'], string>> = {
  embedding: 'Embedding',
  lora: 'LoRA',
  word: 'Word',
};

/**
 * Suggests embeddings, LoRAs and words while a prompt is typed. Tab takes the one that is marked
 * or the first; Enter only one that is marked; Escape closes the list.
 */
export function suggestWhileTyping(
  area: HTMLTextAreaElement,
  vocabulary: () => Promise<Vocabulary>,
): void {
  let open: { readonly list: HTMLElement; readonly completion: Completion } | null = null;
  let active = -1;
  let asked = 0;

  const close = (): void => {
    asked++;
    open?.list.remove();
    open = null;
    area.removeAttribute('aria-activedescendant');
  };
  const mark = (index: number): void => {
    if (open === null) return;
    const { children } = open.list;
    active = (index + children.length) % children.length;
    [...children].forEach((child, i) => child.setAttribute('aria-selected', String(i === active)));
    children[active].scrollIntoView({ block: 'nearest' });
    area.setAttribute('aria-activedescendant', children[active].id);
  };
  const take = (suggestion: Suggestion): void => {
    if (open === null) return;
    const { from, to } = open.completion;
    close();
    const { text, select } = suggestion;
    typeInto(
      area,
      from,
      to,
      text,
      select === null ? undefined : [from + select[0], from + select[1]],
    );
    close(); // What was typed asked for suggestions again.
  };
  const show = (completion: Completion): void => {
    open?.list.remove();
    const list = listOf(completion.suggestions, take);
    open = { list, completion };
    document.body.append(list);
    placeAtCaret(list, area, completion.from);
    active = -1;
    if (completion.asked) mark(0);
  };
  const look = async (): Promise<void> => {
    const mine = ++asked;
    const known = await vocabulary();
    if (mine !== asked || document.activeElement !== area) return;
    const { selectionStart, selectionEnd, value } = area;
    const completion =
      selectionStart === selectionEnd ? completionAt(value, selectionStart, known) : null;
    if (completion === null) close();
    else show(completion);
  };

  area.addEventListener('input', () => void look());
  area.addEventListener('blur', close);
  area.addEventListener('pointerdown', close);
  area.addEventListener('keydown', (event) => {
    if (open === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const { suggestions } = open.completion;
    if (event.key === 'ArrowDown') mark(active + 1);
    else if (event.key === 'ArrowUp') mark(active < 0 ? -1 : active - 1);
    else if (event.key === 'Escape') close();
    else if (event.key === 'Tab' && !event.shiftKey) take(suggestions[Math.max(0, active)]);
    else if (event.key === 'Enter' && active >= 0 && !event.shiftKey) take(suggestions[active]);
    else {
      if (/^(Arrow|Home|End|Page)/.test(event.key)) close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}

function listOf(suggestions: readonly Suggestion[], take: (one: Suggestion) => void): HTMLElement {
  const list = document.createElement('div');
  list.className = 'prompt-suggestions';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', t('Suggestions'));
  suggestions.forEach((suggestion, i) => {
    const item = document.createElement('div');
    item.id = `suggestion-${i}`;
    item.setAttribute('role', 'option');
    const kind = document.createElement('small');
    kind.textContent = t(kinds[suggestion.kind]);
    item.append(suggestion.name, kind);
    // Before the field loses the focus.
    item.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      take(suggestion);
    });
    list.append(item);
  });
  return list;
}

/** Puts a list below a place of the text, also in a field that is scaled with the canvas. */
function placeAtCaret(list: HTMLElement, area: HTMLTextAreaElement, at: number): void {
  const style = getComputedStyle(area);
  const mirror = document.createElement('div');
  for (const name of ['font', 'padding', 'border', 'lineHeight', 'letterSpacing'] as const) {
    mirror.style[name] = style[name];
  }
  Object.assign(mirror.style, {
    position: 'absolute',
    visibility: 'hidden',
    boxSizing: 'border-box',
    width: `${area.clientWidth}px`,
    whiteSpace: 'pre-wrap',
    overflowWrap: 'break-word',
  });
  const spot = document.createElement('span');
  spot.textContent = '|';
  mirror.append(area.value.slice(0, at), spot);
  document.body.append(mirror);
  const { offsetLeft, offsetTop, offsetHeight } = spot;
  mirror.remove();
  const box = area.getBoundingClientRect();
  const scale = box.width / Math.max(1, area.offsetWidth);
  const x = box.left + offsetLeft * scale;
  const below = box.top + (offsetTop + offsetHeight - area.scrollTop) * scale + 2;
  const { width, height } = list.getBoundingClientRect();
  const above = box.top + (offsetTop - area.scrollTop) * scale - height - 2;
  list.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 8))}px`;
  list.style.top = `${below + height > innerHeight - 8 && above > 4 ? above : below}px`;
}

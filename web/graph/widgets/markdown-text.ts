import { Multiline } from './multiline.ts';
import { renderMarkdown } from './markdown.ts';
import { t } from '../../locale/translate.ts';

/** A note's text shown as formatted Markdown; a double click edits the source. */
export class MarkdownText extends Multiline {
  #shell: HTMLElement | null = null;
  #shown: string | null = null;

  override mount(): HTMLTextAreaElement {
    return super.mount();
  }

  /** The element to place: the formatted view, with the textarea inside while editing. */
  mountShell(): HTMLElement {
    if (this.#shell !== null) return this.#shell;
    const shell = document.createElement('div');
    shell.className = 'node-markdown';
    shell.tabIndex = 0;
    shell.title = t('Double-click to edit');
    const area = super.mount();
    const view = document.createElement('div');
    view.className = 'markdown-view';
    shell.append(view);
    const edit = (): void => {
      area.value = String(this.value ?? '');
      shell.replaceChildren(area);
      area.focus();
    };
    shell.addEventListener('dblclick', edit);
    shell.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.target === shell) {
        event.preventDefault();
        edit();
      } else if (event.key === 'Escape') shell.focus();
    });
    area.addEventListener('blur', () => {
      this.#shown = null;
      shell.replaceChildren(view);
      this.refresh();
    });
    this.#shell = shell;
    return shell;
  }

  override refresh(): void {
    super.refresh();
    const view = this.#shell?.querySelector('.markdown-view');
    const text = String(this.value ?? '');
    if (!view || text === this.#shown) return;
    this.#shown = text;
    view.replaceChildren(...renderMarkdown(text, document));
  }
}

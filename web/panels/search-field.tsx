import type { Signal } from '@preact/signals';

interface SearchFieldParts {
  readonly text: Signal<string>;
  /** What is searched, translated: said to those who do not see the field, and shown while it is empty. */
  readonly label: string;
  /** What is shown in place of the label where there is little room. */
  readonly placeholder?: string;
  readonly className?: string;
  readonly autofocus?: boolean;
}

/** A field that narrows a list down while it is typed in. */
export function SearchField(parts: SearchFieldParts) {
  const { text, label, placeholder = label, className, autofocus } = parts;
  return (
    <input
      type="search"
      class={className}
      placeholder={placeholder}
      aria-label={label}
      autofocus={autofocus}
      value={text.value}
      onInput={(event) => {
        text.value = event.currentTarget.value;
      }}
    />
  );
}

import { useSignal } from '@preact/signals';
import type { Form, FormField } from '../../engine/workflow/form/form.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { messageOf } from '../text.ts';
import type { FieldChoice, FormChoice, Values } from './api.ts';

interface BuilderParts {
  readonly form: Form;
  /** Values that become the form's own. */
  readonly values: Values;
  readonly save: (choice: FormChoice) => Promise<void>;
  readonly close: () => void;
}

interface Row {
  readonly field: FormField;
  readonly shown: boolean;
  readonly choice: Omit<FieldChoice, 'key'>;
}

/** Choosing what a form asks for: which fields, in which order, and how they are called. */
export function Builder({ form, values, save, close }: BuilderParts) {
  const title = useSignal(form.title);
  const description = useSignal(form.description);
  const rows = useSignal<readonly Row[]>(form.fields.map(rowOf));
  const outputs = useSignal(new Set(form.outputs.filter((o) => o.shown).map((o) => o.node_id)));
  const problem = useSignal('');
  const keepValues = useSignal(false);

  const change = (at: number, next: Partial<Row>): void => {
    rows.value = rows.value.map((row, i) => (i === at ? { ...row, ...next } : row));
  };
  const move = (from: number, to: number): void => {
    const list = [...rows.value];
    const [row] = list.splice(from, 1);
    list.splice(to, 0, row);
    rows.value = list;
  };
  const write = async (isChosen: boolean): Promise<void> => {
    const fields = rows.value
      .filter(({ shown }) => shown)
      .map(({ field, choice }) => ({
        key: field.key,
        ...choice,
        ...(keepValues.value && values[field.key] !== null ? { default: values[field.key] } : {}),
      }));
    try {
      await save({
        title: title.value.trim(),
        description: description.value.trim(),
        fields: isChosen ? fields : null,
        outputs: isChosen ? [...outputs.value] : null,
      });
      close();
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  const count = rows.value.filter(({ shown }) => shown).length;
  return (
    <form
      class="builder"
      onSubmit={(e) => {
        e.preventDefault();
        void write(true);
      }}
    >
      <label class="form-field">
        <span>{t('Title')}</span>
        <input
          type="text"
          value={title.value}
          onInput={(e) => (title.value = e.currentTarget.value)}
        />
      </label>
      <label class="form-field">
        <span>{t('What it is for')}</span>
        <textarea
          rows={2}
          value={description.value}
          onInput={(e) => (description.value = e.currentTarget.value)}
        />
      </label>
      <h2>{t('Fields')}</h2>
      <ul class="builder-rows">
        {rows.value.map((row, i) => (
          <BuilderRow
            key={row.field.key}
            row={row}
            change={(next) => change(i, next)}
            move={(by) => move(i, Math.max(0, Math.min(rows.value.length - 1, i + by)))}
            isFirst={i === 0}
            isLast={i === rows.value.length - 1}
            dropped={(key) =>
              move(
                rows.value.findIndex((each) => each.field.key === key),
                i,
              )
            }
          />
        ))}
      </ul>
      <OutputChoice form={form} chosen={outputs.value} set={(next) => (outputs.value = next)} />
      <label class="form-switch">
        <input
          type="checkbox"
          checked={keepValues.value}
          onChange={(e) => (keepValues.value = e.currentTarget.checked)}
        />
        <span>{t('Begin with the values that are filled in now')}</span>
      </label>
      {problem.value !== '' && (
        <p class="form-error" role="alert">
          {problem.value}
        </p>
      )}
      <footer class="run-bar">
        <button type="submit" class="run-button" disabled={count === 0}>
          {t('Save the form')}
        </button>
        <button type="button" class="text" onClick={close}>
          {t('Cancel')}
        </button>
        <span class="grow" />
        {form.source === 'app' && (
          <button type="button" class="text" onClick={() => void write(false)}>
            {t('Choose by rule')}
          </button>
        )}
      </footer>
    </form>
  );
}

const rowOf = (field: FormField): Row => ({
  field,
  shown: !field.hidden && !field.advanced,
  choice: {
    label: field.label,
    help: field.help,
    section: field.advanced ? '' : field.section,
    ...(field.slider !== null && !field.hidden && !field.advanced && field.min === field.slider.min
      ? { min: field.slider.min, max: field.slider.max, step: field.slider.step }
      : {}),
  },
});

interface RowParts {
  readonly row: Row;
  readonly change: (next: Partial<Row>) => void;
  readonly move: (by: number) => void;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** The field of this key was dropped here. */
  readonly dropped: (key: string) => void;
}

function BuilderRow({ row, change, move, isFirst, isLast, dropped }: RowParts) {
  const { field, shown, choice } = row;
  const name = choice.label ?? field.label;
  const set = (part: Partial<FieldChoice>): void => change({ choice: { ...choice, ...part } });
  const isNumber = field.kind === 'int' || field.kind === 'float';
  return (
    <li
      class="builder-row"
      data-shown={shown}
      draggable
      onDragStart={(e) => e.dataTransfer?.setData('text/plain', field.key)}
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        dropped(e.dataTransfer?.getData('text/plain') ?? '');
      }}
    >
      <div class="builder-head">
        <label class="grow">
          <input
            type="checkbox"
            checked={shown}
            onChange={(e) => change({ shown: e.currentTarget.checked })}
          />
          <span>{t(name)}</span>
          <small>{field.key}</small>
        </label>
        <button
          type="button"
          disabled={isFirst}
          aria-label={t('Move {name} up', { name })}
          onClick={() => move(-1)}
        >
          <Icon name="up" />
        </button>
        <button
          type="button"
          disabled={isLast}
          aria-label={t('Move {name} down', { name })}
          onClick={() => move(1)}
        >
          <Icon name="chevron" />
        </button>
      </div>
      {shown && (
        <details>
          <summary>{t('Details')}</summary>
          <Text label={t('Label')} value={choice.label} set={(label) => set({ label })} />
          <Text label={t('Help')} value={choice.help} set={(help) => set({ help })} />
          <Text label={t('Section')} value={choice.section} set={(section) => set({ section })} />
          {isNumber && (
            <div class="builder-limits">
              <Limit label={t('From')} value={choice.min} set={(min) => set({ min })} />
              <Limit label={t('To')} value={choice.max} set={(max) => set({ max })} />
              <Limit label={t('Step')} value={choice.step} set={(step) => set({ step })} />
            </div>
          )}
        </details>
      )}
    </li>
  );
}

interface PartOf<T> {
  readonly label: string;
  readonly value: T | undefined;
  readonly set: (value: T | undefined) => void;
}

const Text = ({ label, value = '', set }: PartOf<string>) => (
  <label class="form-field">
    <span>{label}</span>
    <input type="text" value={value} onInput={(e) => set(e.currentTarget.value)} />
  </label>
);

const Limit = ({ label, value, set }: PartOf<number>) => (
  <label class="form-field">
    <span>{label}</span>
    <input
      type="number"
      step="any"
      value={value ?? ''}
      onInput={(e) => {
        const { value: text } = e.currentTarget;
        set(text === '' ? undefined : Number(text));
      }}
    />
  </label>
);

function OutputChoice(props: {
  readonly form: Form;
  readonly chosen: ReadonlySet<string>;
  readonly set: (chosen: Set<string>) => void;
}) {
  const { form, chosen, set } = props;
  if (form.outputs.length < 2) return null;
  return (
    <fieldset class="form-section">
      <legend>{t('Results to show')}</legend>
      {form.outputs.map(({ node_id: id, title }) => (
        <label key={id} class="form-switch">
          <input
            type="checkbox"
            checked={chosen.has(id)}
            onChange={(e) => {
              const next = new Set(chosen);
              if (e.currentTarget.checked) next.add(id);
              else next.delete(id);
              set(next);
            }}
          />
          <span>
            {title} <small>{id}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

import { useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { SearchField } from '../panels/search-field.tsx';
import type { WorkflowSummary } from './api.ts';
import { titleOf } from './open-form.ts';
import type { FormsParts } from './parts.ts';

/** The program's forms, what one begins with first. */
const order = ['text-to-image', 'image-to-image', 'inpaint', 'upscale'];
const placeOf = ({ id }: WorkflowSummary): number =>
  order.includes(id) ? order.indexOf(id) : order.length;

/** All forms with the newest picture that each made. */
export function ListPage({
  workflows,
}: FormsParts & { readonly workflows: readonly WorkflowSummary[] }) {
  const search = useSignal('');
  const wanted = search.value.trim().toLowerCase();
  const found = workflows.filter(({ id, title }) =>
    `${id}\n${title}`.toLowerCase().includes(wanted),
  );
  const own = found.filter(({ builtin }) => !builtin);
  const builtin = found.filter((each) => each.builtin).sort((a, b) => placeOf(a) - placeOf(b));
  return (
    <main class="run-list">
      <header>
        <h1>{t('Forms')}</h1>
        <SearchField text={search} label={t('Search forms')} placeholder={t('Search')} />
        <a class="run-link" href="./">
          <Icon name="nodes" />
          {t('Editor')}
        </a>
      </header>
      <Group title={t('To begin with')} workflows={builtin} />
      <Group title={t('Your workflows')} workflows={own} />
      {found.length === 0 && <p class="empty">{t('No form has this name')}</p>}
      {own.length === 0 && wanted === '' && (
        <p class="empty">{t('Workflows that you save in the editor appear here as forms.')}</p>
      )}
    </main>
  );
}

function Group(props: { readonly title: string; readonly workflows: readonly WorkflowSummary[] }) {
  if (props.workflows.length === 0) return null;
  return (
    <section>
      <h2>{props.title}</h2>
      <ul class="run-cards">
        {props.workflows.map((workflow) => (
          <li key={workflow.id}>
            <a href={`ui/run/${encodeURIComponent(workflow.id)}`}>
              <span class="run-card-picture">
                {workflow.picture === null ? (
                  <Icon name="image" />
                ) : (
                  <img src={smaller(workflow.picture)} alt="" loading="lazy" />
                )}
              </span>
              <strong>{t(titleOf(workflow))}</strong>
              {workflow.description !== '' && <small>{t(workflow.description)}</small>}
              {workflow.id.includes('/') && (
                <small>{workflow.id.slice(0, workflow.id.lastIndexOf('/'))}</small>
              )}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Files of the output folder come smaller when they are asked to. */
const smaller = (address: string): string =>
  address.includes('?') ? `${address}&preview=webp;80` : address;

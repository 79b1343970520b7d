import { t } from '../locale/translate.ts';
import type { JobCheck } from './api.ts';

/** What is wrong with a job, what means nothing in it, and what is done in place of what it asks for. */
export function Findings({ check }: { readonly check: Partial<JobCheck> }) {
  const { errors = [], warnings = [], substitutions = [] } = check;
  return (
    <div class="training-findings" aria-live="polite">
      <Lines title={t('To be mended')} kind="error" lines={errors.map(({ detail }) => detail)} />
      <Lines title={t('Means nothing here')} kind="warning" lines={warnings} />
      <Lines title={t('Done in another way')} kind="note" lines={substitutions} />
    </div>
  );
}

interface LinesParts {
  readonly title: string;
  readonly kind: 'error' | 'warning' | 'note';
  readonly lines: readonly string[];
}

function Lines({ title, kind, lines }: LinesParts) {
  if (lines.length === 0) return null;
  return (
    <section data-kind={kind}>
      <h4>{title}</h4>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

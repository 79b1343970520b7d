import { t } from '../locale/translate.ts';
import { MissingList } from '../missing/missing-list.tsx';
import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';

/** What went wrong: errors of the last prompt, and node types that are missing here. */
export function ProblemPanel({ editor, server, state }: AppParts) {
  const problems = state.problems.value;
  const missing = state.missing.value;
  if (problems.length === 0 && missing.length === 0) return null;
  const close = (): void => {
    state.problems.value = [];
    state.missing.value = [];
    editor.execution.clearErrors();
  };
  return (
    <section class="problem-panel" role="alert" aria-label={t('Problems')}>
      <header>
        <Icon name="warning" />
        <h2>
          {problems.length > 0
            ? problems.length === 1
              ? t('1 problem')
              : t('{count} problems', { count: problems.length })
            : t('Missing nodes')}
        </h2>
        <span class="grow" />
        <button type="button" aria-label={t('Dismiss')} title={t('Dismiss')} onClick={close}>
          <Icon name="clear" />
        </button>
      </header>
      <div class="problem-body">
        {problems.map((problem, i) => (
          <article key={i}>
            <h3>
              {problem.nodeId === null ? (
                problem.title
              ) : (
                <button
                  type="button"
                  class="text"
                  onClick={() => editor.focusNode(problem.nodeId as string)}
                >
                  {problem.title} <small>#{problem.nodeId}</small>
                </button>
              )}
            </h3>
            <p>{problem.message}</p>
            {problem.details !== '' &&
              (problem.details.includes('\n') ? (
                <details>
                  <summary>{t('Details')}</summary>
                  <pre>{problem.details}</pre>
                </details>
              ) : (
                <p class="soft">{problem.details}</p>
              ))}
          </article>
        ))}
        {missing.length > 0 && (
          <article>
            {problems.length > 0 && <h3>{t('Missing nodes')}</h3>}
            <p>
              {t('These node types are not on this server. They stay in the workflow as they are.')}
            </p>
            <MissingList editor={editor} server={server} />
          </article>
        )}
      </div>
    </section>
  );
}

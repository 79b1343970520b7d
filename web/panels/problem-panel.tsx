import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';

/** What went wrong: errors of the last prompt, and node types that are missing here. */
export function ProblemPanel({ editor, state }: AppParts) {
  const problems = state.problems.value;
  const missing = state.missing.value;
  if (problems.length === 0 && missing.length === 0) return null;
  const close = (): void => {
    state.problems.value = [];
    state.missing.value = [];
    editor.execution.clearErrors();
  };
  return (
    <section class="problem-panel" role="alert" aria-label="Problems">
      <header>
        <Icon name="warning" />
        <h2>
          {problems.length > 0
            ? `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
            : 'Missing nodes'}
        </h2>
        <span class="grow" />
        <button type="button" aria-label="Dismiss" title="Dismiss" onClick={close}>
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
                  <summary>Details</summary>
                  <pre>{problem.details}</pre>
                </details>
              ) : (
                <p class="soft">{problem.details}</p>
              ))}
          </article>
        ))}
        {missing.length > 0 && (
          <article>
            {problems.length > 0 && <h3>Missing nodes</h3>}
            <p>These node types are not on this server. They stay in the workflow as they are.</p>
            <ul>
              {missing.map((type) => (
                <li key={type}>{type}</li>
              ))}
            </ul>
          </article>
        )}
      </div>
    </section>
  );
}

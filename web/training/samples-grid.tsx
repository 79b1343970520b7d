import { t } from '../locale/translate.ts';
import type { State } from '../state.ts';
import type { Sample } from './api.ts';

interface SamplesParts {
  readonly samples: readonly Sample[];
  readonly prompts: readonly string[];
  readonly state: State;
}

/** Samples by step (the newest first) and prompt. Opened, the arrow keys go through the steps of a prompt. */
export function SamplesGrid({ samples, prompts, state }: SamplesParts) {
  if (samples.length === 0) return <p class="empty">{t('No sample was made yet.')}</p>;
  const steps = [...new Set(samples.map(({ step }) => step))].sort((a, b) => b - a);
  const indices = [...new Set(samples.map(({ index }) => index))].sort((a, b) => a - b);
  const nameOf = (index: number): string =>
    prompts[index] || t('Prompt {number}', { number: index + 1 });
  const open = (sample: Sample): void => {
    const list = samples.filter(({ index }) => index === sample.index);
    state.lightbox.value = {
      images: list.map(({ url, step }) => ({
        url: url.slice(1),
        label: t('{name} after step {step}', { name: nameOf(sample.index), step }),
      })),
      index: list.indexOf(sample),
    };
  };
  return (
    // The keys scroll what does not fit.
    <div class="samples-grid" tabIndex={0} role="region" aria-label={t('Samples')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('Step')}</th>
            {indices.map((index) => (
              <th key={index} scope="col" title={nameOf(index)}>
                <span>{nameOf(index)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step}>
              <th scope="row">{step}</th>
              {indices.map((index) => {
                const sample = samples.find((each) => each.step === step && each.index === index);
                return (
                  <td key={index}>
                    {sample !== undefined && (
                      <button
                        type="button"
                        aria-label={t('{name} after step {step}', { name: nameOf(index), step })}
                        onClick={() => open(sample)}
                      >
                        <img src={sample.thumbnail_url.slice(1)} alt="" loading="lazy" />
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

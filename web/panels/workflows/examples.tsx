import { t } from '../../locale/translate.ts';
import type { AppParts } from '../parts.ts';
import { exampleTitle } from './example-title.ts';

/** The examples that come with the program, with a picture each. */
export function Examples({ files, server, state }: AppParts) {
  const names = [...state.examples.value].sort(defaultFirst);
  return (
    <>
      <h3>{t('Examples')}</h3>
      {names.length === 0 && <p class="empty">{t('No examples on this server.')}</p>}
      <div class="examples">
        {names.map((name) => (
          <button key={name} type="button" onClick={() => void files.openExample(name)}>
            <img
              alt=""
              loading="lazy"
              width="128"
              height="128"
              src={server.examplePicture(name)}
            />
            <span>{t(exampleTitle(name))}</span>
          </button>
        ))}
      </div>
    </>
  );
}

const defaultFirst = (a: string, b: string): number =>
  Number(b === 'default') - Number(a === 'default') || a.localeCompare(b);

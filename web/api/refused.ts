import { t } from '../locale/translate.ts';

/** What went wrong when the server did not do what it was asked for; `name`: of what. */
export const refusal = (status: number, name?: string): Error =>
  new Error(
    name === undefined
      ? t('The server answered {status}', { status })
      : t('{name}: the server answered {status}', { name, status }),
  );

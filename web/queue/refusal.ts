import { readableName } from '../../engine/workflow/readable-name.ts';
import type { InputError, PromptAnswer } from '../api/types.ts';
import { t } from '../locale/translate.ts';
import { folderOfInput } from '../models/loaders.ts';
import type { Problem } from '../state.ts';
import { textOf } from '../text.ts';

type Words = Pick<Problem, 'message' | 'details'>;

/**
 * A refused input in words of the page: what the field is called there and what is wrong with it. The
 * server speaks to programs, in ComfyUI's words; errors that no row knows are told in those.
 */
export function wordsOf(error: InputError, type: string | undefined): Words {
  const name = error.extra_info?.input_name;
  const known = words[error.type] as ErrorWords | undefined;
  return (name !== undefined && known?.(name, error, type)) || error;
}

type ErrorWords = (name: string, error: InputError, type?: string) => Words;

const words: Readonly<Record<string, ErrorWords>> = {
  required_input_missing: (name) => ({
    message: t('{input}: nothing is connected', { input: readableName(lastPart(name)) }),
    details: '',
  }),
  value_not_in_list: (name, { details, extra_info }, type) => {
    const values = {
      input: readableName(lastPart(name)),
      value: textOf(extra_info?.received_value),
    };
    const isFile = type !== undefined && folderOfInput(type, name) !== null;
    const nothing = details.endsWith(' not in []');
    return {
      message: isFile
        ? t('{input}: {value} is not on this server', values)
        : t('{input}: {value} is not among the choices', values),
      details: nothing ? t('There is nothing to choose from.') : details,
    };
  },
};

/** What is wrong with a prompt as a whole, where no node is to blame. */
export function problemOf({ type, message, details }: NonNullable<PromptAnswer['error']>): Problem {
  if (type === 'prompt_no_outputs') {
    return {
      nodeId: null,
      title: t('There is nothing to run'),
      message: t('No node saves or shows a result. Add one, Save Image for example.'),
      details: '',
    };
  }
  return { nodeId: null, title: t('The prompt was not accepted'), message, details };
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

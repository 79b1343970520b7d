/** Networks that are told how strongly they are guided (distilled ones). */
import type { Model } from '../../values/model.ts';

export const guidesItself = ({ family, config }: Model): boolean =>
  family.conditions?.(config).some(({ kind }) => kind === 'guidance') ?? false;

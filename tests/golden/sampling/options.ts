/** Options of nodes in golden cases. */

export type Options = Readonly<Record<string, number | string | boolean>>;

/** Reads options of a case with the types that their names promise. */
export const reader = (
  options: Options,
): { num: (key: string) => number; flag: (key: string) => boolean } => ({
  num: (key) => Number(options[key]),
  flag: (key) => options[key] === true,
});

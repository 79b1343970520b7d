/** The folders of the server that files of users lie in. */
export const directories = ['input', 'output', 'temp'] as const;
export type Directory = (typeof directories)[number];

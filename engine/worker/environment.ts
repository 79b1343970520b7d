/** What of an engine's environment the C library reads when the process starts. */

/** Ask for large pages for large pieces of memory, where the system gives them to those who ask. */
const hugePages = ['glibc.malloc.hugetlb', '1'] as const;

/**
 * The environment that engines start in: `env`, and that glibc (2.35 and later; others ignore it) lets
 * what a run computes lie in pages of 2 MiB. Products whose rows lie far apart visit a page for each
 * row, more of 4 KiB than a core remembers. What the user set stays.
 */
export function engineEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const [name, value] = hugePages;
  const given = env.GLIBC_TUNABLES ?? '';
  if (given.includes(name)) return env;
  const all = [...given.split(':').filter((one) => one !== ''), `${name}=${value}`];
  return { ...env, GLIBC_TUNABLES: all.join(':') };
}

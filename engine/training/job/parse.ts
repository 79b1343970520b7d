/** The text of a job file as a tree of plain values. */
import { extname } from 'node:path';
import { type Tags, Scalar, parseDocument } from 'yaml';
import { Complaint } from './findings.ts';

/** No job file that people write is anywhere near as long or as deep: characters, levels, columns of one line. */
const LONGEST = 512 * 1024;
const DEEPEST = 64;
const MOST_OPEN = 256;

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  '.json': (text) => JSON.parse(text) as unknown,
  '.jsonc': (text) => JSON.parse(withoutComments(text)) as unknown,
  '.yaml': parseYaml,
  '.yml': parseYaml,
};

/** Endings of job files, in the order in which they are looked for. */
export const JOB_ENDINGS: readonly string[] = Object.keys(parsers);

/**
 * Reads JSON, JSON with comments or YAML by the ending of the file's name. `${VAR}` in the text is first replaced
 * from `environment`. Throws a `Complaint` for a variable that is not set, for what is not well-formed, and for
 * trees without end.
 */
export function parseJob(
  file: string,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const ending = extname(file).toLowerCase();
  if (!Object.hasOwn(parsers, ending)) throw new Complaint('must be a json or yaml file');
  if (text.length > LONGEST) throw new Complaint(`is longer than ${LONGEST} characters`);
  const filled = text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined) return value;
    throw new Complaint(
      `Environment variable ${name} not set. Set it, or write it into a .env file.`,
    );
  });
  let tree: unknown;
  try {
    tree = parsers[ending](filled);
  } catch (error) {
    throw new Complaint(`cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
  return plain(tree, (each) => each);
}

/** A copy of a tree with every text in it changed, keys included. Throws a `Complaint` where it is too deep. */
export function plain(tree: unknown, change: (text: string) => string, depth = 0): unknown {
  if (depth > DEEPEST) throw new Complaint(`nests deeper than ${DEEPEST} levels`);
  if (typeof tree === 'string') return change(tree);
  if (Array.isArray(tree)) return (tree as unknown[]).map((one) => plain(one, change, depth + 1));
  if (typeof tree !== 'object' || tree === null) return tree;
  const entries = Object.entries(tree).map(
    ([name, value]) => [change(name), plain(value, change, depth + 1)] as const,
  );
  return Object.fromEntries(entries);
}

/** JSON from JSON with comments and commas behind the last item. */
function withoutComments(text: string): string {
  const kept = (pattern: RegExp, by: string) => (from: string) =>
    from.replace(pattern, (_, quoted: string | undefined) => quoted ?? by);
  const comments = kept(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  const commas = kept(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, '');
  return commas(comments(text));
}

/** YAML 1.1 as job files are written in it: its words for yes and no, its numbers, merge keys; no dates, no base 60. */
function parseYaml(text: string): unknown {
  refuseDeep(text);
  const document = parseDocument(text, {
    version: '1.1',
    uniqueKeys: false,
    logLevel: 'error',
    customTags: (tags) => [
      ...tags.filter((tag) => typeof tag === 'string' || isKept(tag)),
      truth(true, /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/),
      truth(false, /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/),
      decimal,
    ],
  });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  // The library counts what aliases unfold to, and refuses those that unfold too far.
  return document.toJS({ maxAliasCount: 1000 }) as unknown;
}

/** The library descends a level for each bracket and each column: too many of them end the process, not the parsing. */
function refuseDeep(text: string): void {
  let open = 0;
  for (const line of text.split('\n')) {
    const [start] = /^(?:[ \t]*[-?:](?=\s))*[ \t]*/.exec(line)!;
    for (const letter of line) {
      if (letter === '[' || letter === '{') open++;
      else if ((letter === ']' || letter === '}') && open > 0) open--;
      if (open > MOST_OPEN) break;
    }
    if (open > MOST_OPEN || start.length > MOST_OPEN) throw new Complaint('nests too deep');
  }
}

type Tag = Exclude<Tags[number], string>;

const KEPT = ['map', 'seq', 'str', 'null', 'int', 'merge'];

/** Tags of the library that are ours too; `int` but for base 60. */
function isKept(tag: Tag): boolean {
  const name = tag.tag.replace('tag:yaml.org,2002:', '');
  return KEPT.includes(name) && !('format' in tag && tag.format === 'TIME');
}

/** PyYAML reads no single letter as yes or no. */
const truth = (value: boolean, test: RegExp): Tag => ({
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test,
  resolve: () => new Scalar(value),
});

/** A number with a point or an exponent, and with a digit: `1e-4`, `.5`, `1_000.0`, not `e5`. */
const decimal: Tag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?$/,
  resolve: (text) => new Scalar(Number(text.replaceAll('_', ''))),
};

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ROLE_LABELS } from '../../engine/workflow/form/rules.ts';
import { readSettings } from '../../engine/workflow/form/settings.ts';
import { commandGroups, gestures } from '../../web/commands/command.ts';
import { parts, texts } from '../../web/locale/zh/index.ts';
import { sections, settingRows, type SettingRow } from '../../web/settings/rows.ts';
import { exampleTitle } from '../../web/panels/workflows/example-title.ts';

const web = new URL('../../web/', import.meta.url).pathname;

/** Names under which rows of data (commands, settings, panels, gestures) hold texts for people. */
const TEXT_KEYS = /^(title|label|help|group|section|confirm)$/;
const ROWS = /^(commands|settings|training\/fields\.ts|panels\/side-panels\.ts|graph\/menus?)/;

/** Where texts are for whoever writes a node pack, or for the build. */
const NOT_SHOWN = /^(extensions\/|vite\.config|main\.tsx$|documents\/vault)/;

interface Found {
  readonly text: string;
  readonly where: string;
}

const files = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.tsx?$/.test(name) && !/^(dist|locale|node_modules)\b/.test(name),
);

/** What the sources hold: texts given to `t`, texts of rows and tables, texts that go past `t`, all literals. */
function readSources() {
  const translated: Found[] = [];
  const bare: Found[] = [];
  const literals = new Set<string>();
  for (const name of files) {
    const path = join(web, name);
    const source = ts.createSourceFile(
      path,
      readFileSync(path, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
    let takesFromTables = false;
    const visit = (node: ts.Node): void => {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const where = `${relative(web, path)}:${line + 1}`;
      if (ts.isStringLiteralLike(node)) literals.add(node.text);
      if (ts.isCallExpression(node) && node.expression.getText(source) === 't') {
        const given = literalsIn(node.arguments[0]);
        for (const text of given) translated.push({ text, where });
        takesFromTables ||= given.length === 0;
      }
      for (const text of NOT_SHOWN.test(name) ? [] : wordsPast(node, source)) {
        bare.push({ text, where });
      }
      if (ts.isCallExpression(node) && /^(openDialog|ask)$/.test(node.expression.getText(source))) {
        for (const text of titlesIn(node.arguments[1])) translated.push({ text, where });
      }
      if (ts.isPropertyAssignment(node) && ROWS.test(name)) {
        const key = node.name.getText(source);
        if (TEXT_KEYS.test(key) && ts.isStringLiteralLike(node.initializer)) {
          translated.push({ text: node.initializer.text, where });
        }
      }
      // Entries of litegraph's menus.
      if (
        ts.isPropertyAssignment(node) &&
        node.name.getText(source) === 'content' &&
        ts.isStringLiteralLike(node.initializer)
      ) {
        bare.push({ text: node.initializer.text, where });
      }
      if (ts.isJsxText(node) && isWords(node.text)) bare.push({ text: node.text.trim(), where });
      if (
        ts.isJsxAttribute(node) &&
        /^(title|aria-label|placeholder|alt)$/.test(node.name.getText(source))
      ) {
        const { initializer } = node;
        if (
          initializer !== undefined &&
          ts.isStringLiteral(initializer) &&
          isWords(initializer.text)
        ) {
          // What a component is given as its title it translates itself.
          const isOurs = /^[A-Z]/.test(node.parent.parent.tagName.getText(source));
          (isOurs ? translated : bare).push({ text: initializer.text, where });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    if (takesFromTables) {
      for (const text of tableTexts(source)) translated.push({ text, where: name });
    }
  }
  return { translated, bare, literals };
}

/**
 * Texts that go to the user past `t`: of messages, errors and menus, set on elements, and those put
 * together from words and values.
 */
function wordsPast(node: ts.Node, source: ts.SourceFile): string[] {
  if (ts.isCallExpression(node) && node.expression.getText(source) === 'toast') {
    return literalsIn(node.arguments[1]);
  }
  if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText(source))) {
    return literalsIn(node.arguments?.[0]);
  }
  if (ts.isPropertyAssignment(node) && node.name.getText(source) === 'content') {
    return literalsIn(node.initializer).filter(isWords);
  }
  if (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
    /\.(textContent|placeholder|tooltip|ariaLabel)$/.test(node.left.getText(source))
  ) {
    return literalsIn(node.right).filter(isWords);
  }
  if (ts.isTemplateExpression(node)) {
    const said = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
    return said
      .map(({ text }) => text.replace(/\((Ctrl|Alt|Shift) [ \w]+\)/, '')) // keys
      .filter((text) => /[a-z]{2,} [a-z]{2,}/i.test(text));
  }
  return [];
}

/** Literal titles of a dialog, which translates them. */
function titlesIn(view: ts.Node): string[] {
  if (!ts.isObjectLiteralExpression(view)) return [];
  return view.properties.flatMap((property) =>
    ts.isPropertyAssignment(property) && property.name.getText() === 'title'
      ? literalsIn(property.initializer)
      : [],
  );
}

/** Words in the tables of a file that translates what it takes from them. */
function tableTexts(source: ts.SourceFile): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    const isKey = ts.isPropertyAssignment(node.parent) && node.parent.name === node;
    if (ts.isStringLiteralLike(node) && !isKey && /^[A-Z][a-z]/.test(node.text)) {
      texts.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { initializer } of statement.declarationList.declarations) {
      if (initializer !== undefined && !ts.isArrowFunction(initializer)) visit(initializer);
    }
  }
  return texts.filter((text) => !/^\w+(\.\w+)+$/.test(text)); // an id
}

/** Names of the examples, as the library shows those of their files. */
const exampleTitles = (): string[] =>
  readdirSync(fileURLToPath(new URL('../../workflows/', import.meta.url)))
    .filter((name) => name.endsWith('.json'))
    .map((name) => exampleTitle(name.replace('.json', '')));

/** What the forms of the program say: their workflows hold the words. */
function formTexts(): string[] {
  const folder = fileURLToPath(new URL('../../workflows/forms/', import.meta.url));
  const forms = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readSettings(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  const texts = forms.flatMap(({ title, description, inputs, fields }) => [
    title,
    description,
    ...(inputs ?? []).map(({ config }) => config.description),
    ...[...fields.values()].flatMap(({ label, section, help }) => [label, section, help]),
  ]);
  return [
    ...texts.filter((text): text is string => typeof text === 'string' && text !== ''),
    ...Object.values(ROLE_LABELS),
  ];
}

/** Texts of rows that stand in lists. Languages are called as those who speak them call them. */
function rowTexts(): string[] {
  const rows: readonly SettingRow[] = Object.values(settingRows);
  const choices = rows
    .filter(({ id }) => id !== 'Comfy.Locale')
    .flatMap((row) => (row.choices ?? []).map(([, label]) => label));
  return [
    ...choices,
    ...sections,
    ...commandGroups,
    ...gestures.flat(),
    ...formTexts(),
    ...exampleTitles(),
  ];
}

/** The literals a text may be: of both sides of a choice as well. */
function literalsIn(node: ts.Node | undefined): string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return literalsIn(node.expression);
  if (ts.isConditionalExpression(node)) {
    return [...literalsIn(node.whenTrue), ...literalsIn(node.whenFalse)];
  }
  return [];
}

/** Names and signs are no words: those stay as they are in every language. */
const isWords = (text: string): boolean =>
  /[a-z]{2}/i.test(text) && !/^(Noodle|Ctrl Enter|.*&\w+;)$/.test(text.trim());

describe('the languages of the page', () => {
  const { translated, bare, literals } = readSources();
  const known = new Set([...literals, ...rowTexts()]);
  const shown = ({ text, where }: Found): string => `${where}: ${text}`;

  test('every text that is shown has its Chinese', () => {
    const rows = rowTexts().map((text) => ({ text, where: 'rows' }));
    const missing = [...translated, ...rows].filter(({ text }) => !Object.hasOwn(texts, text));
    expect(missing.map(shown)).toEqual([]);
  });

  test('a text has its Chinese in one place', () => {
    const keys = parts.flatMap((part) => Object.keys(part));
    expect(keys.filter((text, i) => keys.indexOf(text) !== i)).toEqual([]);
  });

  test('no text is shown that cannot be translated', () => {
    expect(bare.map(shown)).toEqual([]);
  });

  test('no Chinese is kept for a text that is gone, and none loses a value', () => {
    expect(Object.keys(texts).filter((text) => !known.has(text))).toEqual([]);
    const values = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    const lost = Object.entries(texts).filter(
      ([english, chinese]) => values(english).join() !== values(chinese).join(),
    );
    expect(lost).toEqual([]);
  });
});

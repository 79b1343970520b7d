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

const web = new URL('../../web/', import.meta.url).pathname;

/** Names under which rows of data (commands, settings, panels, gestures) hold texts for people. */
const TEXT_KEYS = /^(title|label|help|group|section|confirm)$/;
const ROWS = /^(commands|settings|panels\/side-panels\.ts|graph\/menus?)/;

interface Found {
  readonly text: string;
  readonly where: string;
}

const files = readdirSync(web, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.tsx?$/.test(name) && !/^(dist|locale|node_modules)\b/.test(name),
);

/** What the sources hold: texts given to `t`, texts of rows, texts that go past `t`, all literals. */
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
    const visit = (node: ts.Node): void => {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      const where = `${relative(web, path)}:${line + 1}`;
      if (ts.isStringLiteralLike(node)) literals.add(node.text);
      if (ts.isCallExpression(node) && node.expression.getText(source) === 't') {
        for (const text of literalsIn(node.arguments[0])) translated.push({ text, where });
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
  }
  return { translated, bare, literals };
}

/** What the forms of the program say: their workflows hold the words. */
function formTexts(): string[] {
  const folder = fileURLToPath(new URL('../../workflows/forms/', import.meta.url));
  const forms = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readSettings(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  const texts = forms.flatMap(({ title, description, fields }) => [
    title,
    description,
    ...[...fields.values()].flatMap(({ label, section }) => [label, section]),
  ]);
  return [
    ...texts.filter((text): text is string => text !== undefined && text !== ''),
    ...Object.values(ROLE_LABELS),
  ];
}

/** Texts of rows that stand in lists. Languages are called as those who speak them call them. */
function rowTexts(): string[] {
  const rows: readonly SettingRow[] = Object.values(settingRows);
  const choices = rows
    .filter(({ id }) => id !== 'Comfy.Locale')
    .flatMap((row) => (row.choices ?? []).map(([, label]) => label));
  return [...choices, ...sections, ...commandGroups, ...gestures.flat(), ...formTexts()];
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

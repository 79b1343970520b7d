import type { Page } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { graphOf, noBrowser, opened, spotOf } from './support/browser.ts';
import { useFreshPage } from './support/built-page.ts';

describe.skipIf(noBrowser !== null)('settings, keys and commands', () => {
  let page: Page;
  const stand = useFreshPage((fresh) => ({ page } = fresh));
  afterEach(() => {
    for (const id of Object.keys(stand.server.settings)) delete stand.server.settings[id];
  });

  const dialog = () => page.getByRole('dialog', { name: 'Settings' });
  const openSettings = async (): Promise<void> => {
    await page.keyboard.press('Control+,');
    await dialog().waitFor();
  };
  const keyRow = (id: string) => dialog().locator(`[data-command="${id}"]`);
  const openKeys = async (): Promise<void> => {
    await openSettings();
    await dialog().getByRole('button', { name: 'Keybindings' }).click();
  };
  const modes = async () => (await graphOf(page)).nodes.map(({ mode }) => mode);
  const selectSampler = async (): Promise<void> => {
    const { x, y } = await spotOf(page, 3, 'title');
    await page.mouse.click(x, y);
  };

  test('a setting holds at once, is found by its words, kept and reset', async () => {
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await theme()).toBe('dark');
    await openSettings();
    await page.keyboard.type('theme');
    const choice = dialog().getByLabel('Theme', { exact: true });
    await choice.selectOption('light');
    await expect.poll(theme).toBe('light');
    await expect.poll(() => stand.server.settings['Comfy.ColorPalette']).toBe('light');

    await page.reload();
    await opened(page);
    expect(await theme()).toBe('light');
    await openSettings();
    await dialog().getByRole('button', { name: 'Back to the default: Theme' }).click();
    await expect.poll(theme).toBe('dark');
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  test('keys are given, taken with a warning, kept as ComfyUI keeps them, and reset', async () => {
    await selectSampler();
    await openKeys();
    const mute = keyRow('Comfy.Canvas.ToggleSelectedNodes.Mute');
    await mute.getByRole('button', { name: 'Add keys to Mute' }).click();
    await page.keyboard.press('Control+Shift+F9');
    await expect
      .poll(() => mute.locator('kbd').allTextContents())
      .toEqual(['Ctrl M', 'Ctrl Shift F9']);
    await expect
      .poll(() => stand.server.settings['Comfy.Keybinding.NewBindings'])
      .toEqual([
        {
          commandId: 'Comfy.Canvas.ToggleSelectedNodes.Mute',
          combo: { key: 'f9', ctrl: true, alt: false, shift: true },
        },
      ]);

    // Ctrl B belongs to Bypass: it goes only when that was seen.
    await mute.getByRole('button', { name: 'Add keys to Mute' }).click();
    await page.keyboard.press('Control+b');
    await expect.poll(() => mute.locator('em').textContent()).toBe('Used by Bypass');
    await mute.getByRole('button', { name: 'Use here' }).click();
    await expect
      .poll(() => keyRow('Comfy.Canvas.ToggleSelectedNodes.Bypass').locator('kbd').count())
      .toBe(0);
    await expect
      .poll(() => stand.server.settings['Comfy.Keybinding.UnsetBindings'])
      .toEqual([
        {
          commandId: 'Comfy.Canvas.ToggleSelectedNodes.Bypass',
          combo: { key: 'b', ctrl: true, alt: false, shift: false },
        },
      ]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+b');
    expect(await modes()).toContain(2);
    await page.keyboard.press('Control+Shift+F9');
    expect(await modes()).not.toContain(2);

    await openKeys();
    await keyRow('Comfy.Canvas.ToggleSelectedNodes.Mute')
      .getByRole('button', { name: 'Back to the default: Mute' })
      .click();
    await expect
      .poll(() =>
        keyRow('Comfy.Canvas.ToggleSelectedNodes.Bypass').locator('kbd').allTextContents(),
      )
      .toEqual(['Ctrl B']);
    await expect.poll(() => stand.server.settings['Comfy.Keybinding.NewBindings']).toEqual([]);
  });

  test('the palette finds commands by letters, those used lately first', async () => {
    await selectSampler();
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Commands' });
    await palette.waitFor();
    await page.keyboard.type('byp');
    await expect.poll(() => palette.locator('li').first().textContent()).toBe('Bypass EditCtrl B');
    await page.keyboard.press('Enter');
    await palette.waitFor({ state: 'detached' });
    expect(await modes()).toContain(4);
    await page.keyboard.press('Control+z');
    expect(await modes()).not.toContain(4);

    await page.keyboard.press('Control+k');
    await expect.poll(() => palette.locator('li').first().textContent()).toBe('Bypass EditCtrl B');
    await page.keyboard.press('Escape');
  });

  test('the list of shortcuts tells the keys that hold now', async () => {
    await openKeys();
    const save = keyRow('Comfy.SaveWorkflow');
    await save.getByRole('button', { name: 'Remove Ctrl S from Save' }).click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await help.waitFor();
    const lines = await help.locator('dl div').allTextContents();
    expect(lines).toContain('Save asCtrl Shift S');
    expect(lines.filter((line) => line.startsWith('SaveCtrl'))).toEqual([]);
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });
  });

  test('the log comes live, beside what models take on the devices', async () => {
    await page.keyboard.press('Control+`');
    const log = page.getByRole('log');
    await expect
      .poll(() => log.locator('div').allTextContents())
      .toEqual(['08:00:00Ready', '08:00:01WARNING: a line that came live']);
    const device = 'A graphics card, fp16; models take 1.4 GiB of 7.5 GiB';
    expect(await page.locator('.log-devices small').textContent()).toBe(device);
    await page.getByRole('button', { name: 'Close the log' }).click();
    await log.waitFor({ state: 'detached' });
  });

  test('the page speaks Chinese as soon as it is asked to, and after a reload', async () => {
    await openSettings();
    await dialog().getByRole('button', { name: 'Language' }).click();
    await dialog().getByRole('combobox', { name: 'Language' }).selectOption('zh');
    const chinese = page.getByRole('dialog', { name: '设置' });
    await chinese.getByRole('button', { name: '快捷键' }).click();
    await expect
      .poll(() => chinese.locator('[data-command="Comfy.Undo"] .grow').textContent())
      .toBe('撤销');
    await page.reload();
    await opened(page);
    await page.locator('.side-rail').getByRole('button', { name: '设置' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh');
  });
});

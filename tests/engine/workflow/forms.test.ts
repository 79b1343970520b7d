import { describe, expect, it } from 'vitest';
import { formsOf, formsOfTexts } from '../../../engine/workflow/forms.ts';

const prompt = { 1: { class_type: 'A', inputs: {} } };
const workflow = { nodes: [], links: [], version: 0.4 };
const [promptText, workflowText] = [JSON.stringify(prompt), JSON.stringify(workflow)];
const useless = ['a plain text of another program', '{broken', '{}', 'null', '[]', '3', ''];

describe('formsOfTexts', () => {
  it.each(useless)('finds the workflow beside the prompt %j', (text) => {
    const forms = formsOfTexts({ prompt: text, workflow: workflowText });
    expect(forms.workflow).toMatchObject({ nodes: [] });
    expect(forms.prompt).toBeUndefined();
    expect(forms.unusable).toHaveLength(1);
    expect(forms.unusable[0]).toContain("'prompt'");
  });

  it.each(useless)('finds the prompt beside the workflow %j', (text) => {
    const forms = formsOfTexts({ prompt: promptText, workflow: text });
    expect(forms.prompt).toEqual(prompt);
    expect(forms.workflow).toBeUndefined();
    expect(forms.unusable[0]).toContain("'workflow'");
  });

  it('takes each form from where it is', () => {
    const swapped = formsOfTexts({ prompt: workflowText, workflow: promptText });
    expect(swapped).toMatchObject({ prompt, workflow: { nodes: [] }, unusable: [] });
    expect(formsOfTexts({})).toEqual({ unusable: [] });
  });
});

describe('formsOf', () => {
  it('looks into posted bodies, each part on its own', () => {
    expect(formsOf({ prompt, client_id: 'x' })).toEqual({ prompt });
    expect(formsOf({ prompt: null, workflow })).toEqual({ workflow });
    const body = { prompt, extra_data: { extra_pnginfo: { workflow } } };
    expect(formsOf(body as never)).toEqual({ prompt, workflow });
    expect(formsOf({ prompt, extra_data: { extra_pnginfo: { workflow: {} } } })).toEqual({
      prompt,
    });
  });

  it.each([null, 3, 'text', [], {}, { a: 1 }, { prompt: {} }])('finds none in %j', (value) => {
    expect(formsOf(value as never)).toEqual({});
  });
});

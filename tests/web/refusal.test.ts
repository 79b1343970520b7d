import { describe, expect, it } from 'vitest';
import { folderOfInput } from '../../web/models/loaders.ts';
import { problemOf, wordsOf } from '../../web/queue/refusal.ts';
import { userWorkflows } from '../../web/api/user-workflows.ts';
import { createState, toast } from '../../web/state.ts';

const refused = (type: string, input_name: string, details: string, received_value?: unknown) => ({
  type,
  message: 'as the server says',
  details,
  extra_info: { input_name, received_value },
});

describe('what the server refuses', () => {
  it('is told by the name that the field has on the page', () => {
    const missing = refused('required_input_missing', 'group.latent_image', 'latent_image');
    expect(wordsOf(missing, 'KSampler').message).toBe('Latent image: nothing is connected');
    const choice = refused(
      'value_not_in_list',
      'sampler_name',
      "sampler_name: 'x' not in ['euler']",
      'x',
    );
    expect(wordsOf(choice, 'KSampler')).toEqual({
      message: 'Sampler: x is not among the choices',
      details: "sampler_name: 'x' not in ['euler']",
    });
    const file = refused(
      'value_not_in_list',
      'ckpt_name',
      "ckpt_name: 'a.ckpt' not in []",
      'a.ckpt',
    );
    expect(wordsOf(file, 'CheckpointLoaderSimple')).toEqual({
      message: 'Checkpoint: a.ckpt is not on this server',
      details: 'There is nothing to choose from.',
    });
    const other = refused('value_bigger_than_max', 'steps', 'steps');
    expect(wordsOf(other, 'KSampler').message).toBe('as the server says');
  });

  it('says what is lacking in a workflow without outputs', () => {
    const none = { type: 'prompt_no_outputs', message: 'Prompt has no outputs', details: '' };
    expect(problemOf(none).title).toBe('There is nothing to run');
    expect(problemOf({ ...none, type: 'other' }).message).toBe('Prompt has no outputs');
  });
});

it('knows the folder of a model by the class and the input', () => {
  expect(folderOfInput('CLIPVisionLoader', 'clip_name')).toBe('clip_vision');
  expect(folderOfInput('TripleCLIPLoader', 'clip_name3')).toBe('text_encoders');
  expect(folderOfInput('UpscaleModelLoader', 'model_name')).toBe('upscale_models');
  expect(folderOfInput('KSampler', 'sampler_name')).toBeNull();
});

it('says of a name that no file system takes that it is too long, before asking the server', async () => {
  const server = userWorkflows((path) => path);
  const name = 'ü'.repeat(126); // 252 bytes, and five of the ending
  await expect(server.saveWorkflow(`folder/${name}.json`, '{}', false)).rejects.toThrow(
    'the name is too long',
  );
});

it('shows the same message once', () => {
  const state = createState();
  for (const text of ['full', 'other', 'full']) toast(state, text, 'error');
  expect(state.toasts.value.map(({ text }) => text)).toEqual(['other', 'full']);
});

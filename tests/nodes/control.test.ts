import { expect, test } from 'vitest';
import { sd1 } from '../../engine/arch/families/sd1.ts';
import { zeros } from '../../engine/array/nd.ts';
import type { ControlNet } from '../../engine/values/control-net.ts';
import { bindControl, withControl } from '../../engine/values/control.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { createModelSampling } from '../../engine/sampling/model-sampling.ts';
import { controlNodes } from '../../nodes/control.ts';
import { randomSource } from '../support/random-weights.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(controlNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const entry = { cross: zeros([1, 1, 1]) };
const application = { net: {} as ControlNet, image: zeros([1, 8, 8, 3]), strength: 1 };
const controlOf = (list: readonly (typeof entry & { changes?: Record<string, unknown> })[]) =>
  list.map(({ changes }) => changes?.['control']);

test('entries that had the same ControlNet share the next one; the old node gives each its own', () => {
  const [positive, negative] = withControl([[entry, entry], [entry]], application);
  const [first] = controlOf(positive);
  expect([...controlOf(positive), ...controlOf(negative)].every((one) => one === first)).toBe(true);

  const [mixed] = withControl([[...positive, entry]], application);
  const [a, b, c] = controlOf(mixed);
  expect(a).toBe(b);
  expect(a).not.toBe(c);
  expect(a).toMatchObject({ previous: first });

  const [own] = withControl([[entry, entry]], { ...application, spreads: true });
  expect(own[0].changes!['control']).not.toBe(own[1].changes!['control']);
});

/** A UNet's blocks, as far as residuals care: `channels` after each input block; the second halves. */
const unetOf = (channels: readonly number[]) =>
  randomSource({
    ...Object.fromEntries(
      channels.map((c, i) => [`input_blocks.${i}.0.${i === 1 ? 'op.' : ''}weight`, [c, 4, 3, 3]]),
    ),
    'middle_block.0.out_layers.3.weight': [channels.at(-1)!, 4, 3, 3],
  });

/** A light adapter, whose features go to every third input block, halved once more each time. */
const adapter = (channels: readonly number[]): ControlNet => {
  const levels = channels.map((c, i) => ({
    [`body.${i}.in_conv.weight`]: [8, i === 0 ? 192 : 8, 1, 1],
    [`body.${i}.out_conv.weight`]: [c, 8, 1, 1],
  }));
  const source = randomSource(Object.assign({}, ...levels) as Record<string, number[]>);
  return { source, patches: [], kind: 't2i-adapter', pooled: false };
};

const bind = (net: ControlNet, channels: readonly number[]) =>
  bindControl(
    { net, image: zeros([1, 1, 1, 3]), strength: 1, startPercent: 0, endPercent: 1 },
    {
      runtime: createRuntime({ threads: 1 }),
      network: { source: unetOf(channels), patches: [] },
      family: sd1,
      sampling: createModelSampling({ prediction: 'eps', schedule: {} }),
    },
  );

test('an adapter whose residuals do not fit the model is refused by name, before anything is sampled', () => {
  const net = adapter([8, 16, 16, 16]);
  expect(() => bind(net, [8, 8, 12])).toThrow(
    "the T2I-Adapter random: expected 12 channels at 1/2 of the latent's size for " +
      "'input_blocks.2' of the model, got 8 channels at 1/1 of the latent's size; it was made for other models",
  );
  // blocks that the model does not have take nothing
  expect(() => bind(net, [8, 8])).not.toThrow();
});

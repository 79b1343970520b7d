import { expect, test } from 'vitest';
import { zeros } from '../../engine/array/nd.ts';
import type { ControlNet } from '../../engine/values/control-net.ts';
import { withControl } from '../../engine/values/control.ts';
import { controlNodes } from '../../nodes/control.ts';
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

import { expect, it } from 'vitest';
import { corePlace } from '../../engine/graph/core-classes.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { referenceNodeNames } from '../support/object-info.ts';

it('lists nodes in the order of the reference, then what is new', () => {
  const ours = [...builtinNodes().keys()];
  const reference = referenceNodeNames().filter((name) => ours.includes(name));
  expect(ours.filter((name) => reference.includes(name))).toEqual(reference);
  const own = ours.findIndex((name) => !corePlace.has(name));
  if (own >= 0) expect(ours.slice(own).some((name) => corePlace.has(name))).toBe(false);
});

import { expect, it } from 'vitest';
import { tryAttention } from '../../../engine/runtime/devices/try-attention.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';

it.each([providers.cpu, providers.portable])('attention of $name is right', async (provider) => {
  await expect(tryAttention({ provider })).resolves.toBeUndefined();
});

it('attention that is not what it should be is found out', async () => {
  const { portable } = providers;
  const wrong: Provider = {
    ...portable,
    // of the right size and in the right range, no more
    table: { ...portable.table, attention: (b, _, [q]) => b.emit('Tanh', [q]) },
  };
  await expect(tryAttention({ provider: wrong })).rejects.toThrow('its attention is off by');
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What packs import; see offerNodeApi in engine/packs/load-packs.ts.
  resolve: { alias: { 'noodle/node': new URL('engine/node.ts', import.meta.url).pathname } },
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

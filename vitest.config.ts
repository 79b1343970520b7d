import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What packs import; see offerNodeApi in engine/packs/load-packs.ts.
  resolve: { alias: { 'noodle/node': new URL('engine/node.ts', import.meta.url).pathname } },
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    // Many files wait for servers and browsers: three at once also where two cores are all there are.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

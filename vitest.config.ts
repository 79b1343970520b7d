import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Tests of functions: whatever ran before them in their process is nothing to them, so a process runs
 * many files and reads the code once. A test that replaces modules, ends its process, changes its folder
 * or environment, or measures memory belongs elsewhere; so do those of `engine/runtime`, which count
 * what the process has open.
 */
const SHARING = [
  'tests/engine/{arch,array,autodiff,graph,media,onnx,python,queue,sampling,tensor,text}/**/*.test.ts',
  'tests/engine/{training,values,weights,workflow}/**/*.test.ts',
  'tests/nodes/**/*.test.ts',
  'tests/engine/server/**/*.test.ts',
  'tests/engine/*.test.ts',
];

/** Tests that need an adapter of the WebGPU provider; not part of `npm test` (`npm run test:gpu`). */
const GPU = ['tests/gpu/**/*.test.ts'];

/** Long hauls of the page in Chromium; not part of `npm test` (`npm run test:page`). */
const PAGE = ['tests/page/**/*.test.ts'];

/** Whole training runs, killed ones too; not part of `npm test` (`npm run test:training`). */
const TRAINING = ['tests/training/**/*.test.ts'];

/** Mesa's driver in software, which gives the same numbers everywhere, unless other drivers are named. */
const LAVAPIPE = '/usr/share/vulkan/icd.d/lvp_icd.json';
const isDriverNamed = Object.keys(process.env).some((name) => name.startsWith('VK_'));
const gpuEnv: Record<string, string> =
  !isDriverNamed && existsSync(LAVAPIPE) ? { VK_DRIVER_FILES: LAVAPIPE } : {};

export default defineConfig({
  // What packs import; see offerNodeApi in engine/packs/load-packs.ts.
  resolve: { alias: { 'noodle/node': new URL('engine/node.ts', import.meta.url).pathname } },
  test: {
    pool: 'forks',
    // Many files wait for servers and browsers: three at once also where two cores are all there are.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is polled for comes at once on a quiet machine, and later on one that is not.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false } },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: ['tests/**/*.test.ts'],
          exclude: [...SHARING, ...GPU, ...PAGE, ...TRAINING],
        },
      },
      { extends: true, test: { name: 'page', include: PAGE, testTimeout: 600_000 } },
      { extends: true, test: { name: 'training', include: TRAINING, testTimeout: 600_000 } },
      // compiling shaders is most of the time, and what one file had compiled the next one in its process has
      {
        extends: true,
        test: {
          name: 'gpu',
          include: GPU,
          globalSetup: 'tests/gpu/setup.ts',
          env: gpuEnv,
          isolate: false,
          testTimeout: 120_000,
        },
      },
    ],
  },
});

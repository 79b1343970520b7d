import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { goldenDir, ownGoldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area, removeInstallations } from '../../golden/areas/end-to-end.ts';

// whole workflows of the hook nodes, on the checkpoint and the files of the shared golden data
afterAll(removeInstallations);

if (existsSync(join(goldenDir('end-to-end'), 'models/checkpoints'))) {
  await goldenSuite(area, ownGoldenDir('hooks'));
} else describe.skip('golden hooks');

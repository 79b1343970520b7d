import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area, removeInstallations } from '../../golden/areas/end-to-end.ts';

// only where the shared golden data is at hand: its checkpoints are too large for the repository
afterAll(removeInstallations);

const dir = goldenDir('end-to-end');
if (existsSync(join(dir, 'models/checkpoints'))) await goldenSuite(area, dir);
else describe.skip('golden end-to-end');

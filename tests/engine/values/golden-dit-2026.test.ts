import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/dit-2026.ts';

await goldenSuite(area, goldenDir('dit-2026'));

import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/dit.ts';

await goldenSuite(area, goldenDir('dit'));

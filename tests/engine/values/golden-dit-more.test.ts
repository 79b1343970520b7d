import { ownGoldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/dit-more.ts';

await goldenSuite(area, ownGoldenDir('dit-more'));

import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/dit-vae.ts';

await goldenSuite(area, goldenDir('dit-vae'));

import { area } from '../../golden/areas/quant.ts';
import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';

await goldenSuite(area, goldenDir('quant'));

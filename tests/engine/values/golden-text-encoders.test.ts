import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/text-encoders.ts';

await goldenSuite(area, goldenDir('text-encoders'));

/** Golden part `training/optimizer`. */
import { area } from '../../golden/areas/training.ts';
import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';

await goldenSuite(area, goldenDir('training'), (name) => name.startsWith('optimizer/'));

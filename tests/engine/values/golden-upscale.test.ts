import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/upscale.ts';

await goldenSuite(area, goldenDir('upscale'), (name) => /_x\d/.test(name));

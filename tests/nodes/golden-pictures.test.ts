import { area } from '../golden/areas/latent-image-ops.ts';
import { goldenSuite } from '../support/golden-suite.ts';
import { goldenDir } from '../support/golden.ts';

await goldenSuite(area, goldenDir('latent-image-ops'));

import { area } from '../../../golden/areas/noise.ts';
import { goldenSuite } from '../../../support/golden-suite.ts';
import { goldenDir } from '../../../support/golden.ts';

// Oracle: torch 2.13 CPU, numpy 2.4 and torchsde 0.2.6 (see the README of the golden area).
await goldenSuite(area, goldenDir('noise'));

import { area } from '../../golden/areas/upscale.ts';
import { visionCases } from '../../golden/vision/vision.ts';
import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';

await goldenSuite(area, goldenDir('upscale'), (name) => visionCases.test(name));

import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { area } from '../../golden/areas/llm-encoders.ts';

await goldenSuite(area, goldenDir('llm-encoders'));

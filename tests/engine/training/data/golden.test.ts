import { area } from '../../../golden/areas/training.ts';
import { goldenSuite } from '../../../support/golden-suite.ts';
import { ownGoldenDir } from '../../../support/golden.ts';

// Oracle: ai-toolkit's rules with CPython's random (README of the golden area).
await goldenSuite(area, ownGoldenDir('training'), (name) => name.startsWith('dataset/'));

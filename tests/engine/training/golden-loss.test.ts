import { area } from '../../golden/areas/training.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { goldenDir } from '../../support/golden.ts';

// Oracle: torch 2.13 on a processor and the published behaviour of the trainers (README of the golden area).
await goldenSuite(area, goldenDir('training'), (name) => name.startsWith('loss/'));

import { area } from '../../golden/areas/sampling.ts';
import { goldenSuite } from '../../support/golden-suite.ts';
import { goldenDir } from '../../support/golden.ts';

// Oracle: ComfyUI 0.3.64 with torch 2.13 CPU on analytic models (README of the golden area).
await goldenSuite(area, goldenDir('sampling'));

/** Golden part `training/yaml-run`: a run of Prodigy on a flow; `npm run golden` has the others, which take longer. */
import { area } from '../../golden/areas/training.ts';
import { goldenDir } from '../../support/golden.ts';
import { goldenSuite } from '../../support/golden-suite.ts';

await goldenSuite(area, goldenDir('training'), (name) => name === 'yaml-run/flux_flow_prodigy');

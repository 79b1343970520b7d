/** Golden area `latent-image-ops`: latent, picture and mask nodes, and picture files. */
import { join } from 'node:path';
import { goldenFiles } from '../../support/golden.ts';
import type { CaseResult, GoldenArea } from '../area.ts';
import { openCase } from '../open-case.ts';
import { latentFiles, loadFile, saveFiles } from '../pictures/files.ts';
import { inpaint } from '../pictures/inpaint.ts';
import { pictureOperations } from '../pictures/nodes.ts';
import type { CaseParams } from '../pictures/run-node.ts';

export const area: GoldenArea = {
  name: 'latent-image-ops',
  list: (dir) =>
    Promise.resolve(
      goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -'.safetensors'.length)),
    ),
  async run(dir, name): Promise<CaseResult> {
    const path = join(dir, `${name}.safetensors`);
    const golden = await openCase<CaseParams>(path);
    const { op } = golden.params;
    if (op === 'LoadImage') return { comparisons: await loadFile(golden) };
    if (op === 'SaveImage') return { comparisons: await saveFiles(golden, path) };
    if (op === 'SaveLatent / LoadLatent') return { comparisons: await latentFiles(golden) };
    if (op.startsWith('VAEEncodeForInpaint')) return { comparisons: await inpaint(golden) };
    const run = pictureOperations[op];
    return run ? { comparisons: await run(golden) } : { skip: `unknown operation '${op}'` };
  },
};

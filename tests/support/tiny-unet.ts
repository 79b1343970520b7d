/** The small UNets among the golden data, traced as families trace them. */
import { unetNetwork } from '../../engine/arch/families/unet-network.ts';
import { detectUNet } from '../../engine/arch/unet.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { type Program, trace } from '../../engine/tensor/trace.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { sub } from '../../engine/weights/source.ts';

/** The program of `tests/golden/data/unet/models/<name>.safetensors`, symbolic in every size. */
export async function tinyUNet(name: string): Promise<Program> {
  const file = new URL(`../golden/data/unet/models/${name}.safetensors`, import.meta.url).pathname;
  const source = sub(await openSafetensors(file), 'model.diffusion_model.');
  const config = detectUNet(openWeights(source))!;
  return trace('unet', source, (g) => unetNetwork(g, config));
}

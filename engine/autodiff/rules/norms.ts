/** Derivatives of norms, in few passes over memory. */
import {
  add,
  div,
  mean,
  mul,
  plainLayerNorm,
  plainRmsNorm,
  reshape,
  sqrt,
  sub,
} from '../../tensor/nn.ts';
import { normOps } from '../../tensor/ops/norms.ts';
import { type Shape, floorDivDim, sizeOfShape } from '../../tensor/shape.ts';
import { type AttrsOf, type Tensor, node } from '../../tensor/tensor.ts';
import type { Derivation } from '../rule.ts';
import { sumTo } from '../shapes.ts';

const lastMean = (x: Tensor): Tensor => mean(x, -1, { keep: true });

/** Through (x - mean) / sqrt(variance + eps) over the last axis; `y` is its result. */
function throughStandard(g: Tensor, x: Tensor, y: Tensor, eps: number): Tensor {
  const centred = sub(x, lastMean(x));
  const deviation = sqrt(add(lastMean(mul(centred, centred)), eps));
  const straight = sub(g, lastMean(g));
  return div(sub(straight, mul(y, lastMean(mul(g, y)))), deviation);
}

/** Through x / sqrt(mean(x²) + eps) over the last axis; `y` is its result. */
function throughRoot(g: Tensor, x: Tensor, y: Tensor, eps: number): Tensor {
  const root = sqrt(add(lastMean(mul(x, x)), eps));
  return div(sub(g, mul(y, lastMean(mul(g, y)))), root);
}

export const normRules: {
  readonly [K in keyof typeof normOps]: Derivation<AttrsOf<(typeof normOps)[K]>>;
} = {
  groupNorm: ({ inputs: [x, weight, bias], attrs: { groups, eps } }, g, wants) => {
    const grouped: Shape = [x.shape[0], groups, floorDivDim(sizeOfShape(x.shape.slice(1)), groups)];
    const perChannel: Shape = [x.shape[1], ...x.shape.slice(2).map(() => 1)];
    const inGroups = reshape(x, grouped);
    const standard = node(normOps.groupNorm, [x], { groups, eps });
    const scaled = weight ? mul(g, reshape(weight, perChannel)) : g;
    const ofChannel = (part: Tensor): Tensor => reshape(sumTo(part, perChannel), [x.shape[1]]);
    return [
      wants[0]
        ? reshape(
            throughStandard(reshape(scaled, grouped), inGroups, reshape(standard, grouped), eps),
            x.shape,
          )
        : undefined,
      weight && wants[1] ? ofChannel(mul(g, standard)) : undefined,
      bias && wants[2] ? ofChannel(g) : undefined,
    ];
  },
  layerNorm: ({ inputs: [x, weight, bias], attrs: { eps } }, g, wants) => {
    const standard = plainLayerNorm(x, { eps });
    return [
      wants[0] ? throughStandard(weight ? mul(g, weight) : g, x, standard, eps) : undefined,
      weight && wants[1] ? sumTo(mul(g, standard), weight.shape) : undefined,
      bias && wants[2] ? sumTo(g, bias.shape) : undefined,
    ];
  },
  rmsNorm: ({ inputs: [x, weight], attrs: { eps } }, g, wants) => {
    const standard = plainRmsNorm(x, { eps });
    return [
      wants[0] ? throughRoot(weight ? mul(g, weight) : g, x, standard, eps) : undefined,
      weight && wants[1] ? sumTo(mul(g, standard), weight.shape) : undefined,
    ];
  },
};

/**
 * The program of a training step: a network, its loss, and the gradients of all that is trained, in one
 * session call.
 */
import { gradients } from '../autodiff/gradients.ts';
import { concat, expand, reshape, scalar } from '../tensor/nn.ts';
import type { Ledger } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { Architecture } from '../values/network.ts';
import type { TrainedPatch } from './networks/trained.ts';

/** What a network's answers are held against. */
export interface StepObjective {
  /** Everything that the loss depends on, for the session's key. */
  readonly identity: string;
  /** The loss (a scalar), and what else the step answers, by name; declares the inputs that it needs. */
  readonly build: (
    g: Graph,
    answers: Record<string, Tensor>,
  ) => { readonly loss: Tensor } & Record<string, Tensor>;
}

export interface StepOptions {
  readonly objective: StepObjective;
  /** Whether blocks are computed anew in the backward pass in place of being kept; the result is the same. */
  readonly recompute: boolean;
  /** Inputs of the network whose gradients are wanted too (what a trained text encoder gave). */
  readonly through?: readonly string[];
}

/** The name of the answer that has all trained numbers' gradients, in the order of their layout. */
export const gradientName = 'gradient';

/** The name of the answer that is the gradient of an input of `through`. */
export const gradientOf = (name: string): string => `gradient/${name}`;

/**
 * A network as its own training step: it takes the network's inputs and those of the objective, and answers
 * the objective's, `gradientName` for what `patch` trains, and `gradientOf(name)` for every input of `through`.
 */
export function trainingStep(
  inner: Architecture,
  patch: TrainedPatch,
  { objective, recompute, through = [] }: StepOptions,
): Architecture {
  return {
    ...inner,
    name: `${inner.name} training`,
    settings: {
      ...inner.settings,
      objective: objective.identity,
      recompute,
      through: through.join(),
    },
    build: (g) => {
      const inputs = new Map<string, Tensor>();
      const answers = inner.build({
        ...g,
        input: (name, dtype, dims) => {
          const tensor = g.input(name, dtype, dims);
          inputs.set(name, tensor);
          return tensor;
        },
      });
      const told = objective.build(g, answers);
      const parts = patch.parts();
      const passed = through.map((name) => inputs.get(name)!);
      const wanted = [...parts.map(([, tensor]) => tensor), ...passed];
      const kept = recompute ? blockOutputs(g.weights.ledger) : undefined;
      const found = gradients(told.loss, wanted, { kept });
      const byPlace = new Map(parts.map(([place], i) => [place, found[i]]));
      // a network may leave out what was trained of it, as an encoder its last layer
      const flat = patch.layout.list.map((place) => {
        const { size } = place;
        const gradient = byPlace.get(place);
        return gradient ? reshape(gradient, [size]) : expand(scalar(0), [size]);
      });
      const named = through.map((name, i) => [gradientOf(name), found[parts.length + i]] as const);
      return {
        ...told,
        ...Object.fromEntries(named),
        ...(flat.length > 0 && { [gradientName]: flat.length === 1 ? flat[0] : concat(flat, 0) }),
      };
    },
  };
}

/** The outputs of a network's parts that lie in no other part: what a backward pass keeps when it computes blocks anew. */
export function blockOutputs({ sites }: Ledger): ReadonlySet<Tensor> {
  const isWithin = (name: string): boolean => {
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      if (sites.has(name.slice(0, dot))) return true;
    }
    return false;
  };
  return new Set([...sites].filter(([name]) => !isWithin(name)).map(([, output]) => output));
}

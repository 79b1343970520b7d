/** `network`: what is trained. */
import { choice, flag, listOf, never, path, real, share, text, whole } from '../readers.ts';
import { section } from '../read-section.ts';
import { type Rows, type Values, ignored, key, optional, refused } from '../row.ts';

const asLora = { becomes: 'lora', why: 'LoRA, with convolutions where conv is set' };

const kwargs = {
  only_if_contains: optional(listOf(text)),
  ignore_if_contains: optional(listOf(text)),
  rank_dropout: key(share, 0),
  module_dropout: key(share, 0),
  parameter_threshold: key(whole(), 0),
  full_if_contains: optional(listOf(text)),
  '*': refused('no adapter here has such a setting'),
} satisfies Rows;

export const networkRows = {
  type: key(
    choice(['lora', 'lokr'], {
      locon: asLora,
      lycoris: asLora,
      ...never('this kind of adapter is not trained here', '*'),
    }),
    'lora',
  ),
  rank: optional(whole(1)),
  linear: optional(whole(1)),
  alpha: { ...key(real(0), 1), ofNull: 0 },
  linear_alpha: { ...optional(real(0)), ofNull: 0 },
  conv: optional(whole(0)),
  conv_alpha: { ...optional(real(0)), ofNull: 0 },
  dropout: key(share, 0),
  network_kwargs: key(section(kwargs), {
    onlyIfContains: undefined,
    ignoreIfContains: undefined,
    fullIfContains: undefined,
    rankDropout: 0,
    moduleDropout: 0,
    parameterThreshold: 0,
  }),
  transformer_only: key(flag, true),
  lokr_full_rank: key(flag, true),
  lokr_factor: key(whole(-1), -1),
  old_lokr_format: key(flag, false),
  split_multistage_loras: ignored('no model of two stages is trained here', true),
  pretrained_lora_path: optional(path('adapter')),
  all_layers: key(flag, false),
  layer_offloading: ignored('memory is managed by the budget of the device'),
  lorm: refused('only adapters are trained'),
} satisfies Rows;

type NetworkValues = Values<typeof networkRows>;

/** The adapter. Ranks and alphas are final but for families that save no alpha, where alpha is the rank. */
export interface NetworkSettings extends Pick<
  NetworkValues,
  | 'type'
  | 'dropout'
  | 'networkKwargs'
  | 'transformerOnly'
  | 'lokrFullRank'
  | 'lokrFactor'
  | 'oldLokrFormat'
  | 'pretrainedLoraPath'
  | 'allLayers'
> {
  /** Of linear layers and 1x1 convolutions. */
  readonly rank: number;
  readonly alpha: number;
  /** Of larger convolutions; they are left alone where it is undefined. */
  readonly conv: number | undefined;
  readonly convAlpha: number | undefined;
}

/** `rank` counts before `linear`; an alpha of none or 0 is the rank. */
export function networkSettings(values: NetworkValues): NetworkSettings {
  const { rank: given, linear, alpha, linearAlpha = alpha, conv, convAlpha, ...rest } = values;
  const rank = given ?? linear ?? 4;
  return {
    ...rest,
    rank,
    alpha: linearAlpha || rank,
    conv: conv || undefined,
    convAlpha: conv ? convAlpha || conv : undefined,
  };
}

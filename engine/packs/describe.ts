/** Definitions as data, and back: what crosses the border of the pack process. */
import { NoodleError } from '../errors.ts';
import type {
  ChoiceSource,
  ComboChoice,
  DynamicSpec,
  InputSpec,
  LooseInputs,
  NodeDefinition,
  ValidateSpec,
} from '../graph/definition.ts';
import { messageOf } from '../python/error.ts';
import type { ChoicesError, DataField, NodeDescription } from './messages.ts';
import { decode, encode } from './messages.ts';

type Inputs = Readonly<Record<string, InputSpec>>;

const DATA_FIELDS: readonly DataField[] = [
  ...(['name', 'displayName', 'category', 'description', 'module', 'form', 'hidden'] as const),
  ...(['outputs', 'outputNode', 'inputIsList', 'acceptAllInputs', 'notIdempotent'] as const),
  ...(['hasIntermediateOutput', 'deprecated', 'experimental', 'devOnly', 'apiNode'] as const),
  ...(['searchAliases', 'essentialsCategory', 'parallel', 'replaces'] as const),
];

/** A definition as data, with its choices as they are now. Throws TypeError where it is none. */
export function describeNode(definition: NodeDefinition, source: ChoiceSource): NodeDescription {
  const { validate, inputs } = definition;
  const fields = DATA_FIELDS.filter((field) => definition[field] !== undefined);
  let changing = false;
  const listed = mapChoices(inputs, (choices) => {
    if (typeof choices !== 'function') return choices;
    changing = true;
    return listChoices(choices, source);
  });
  const data = {
    ...Object.fromEntries(fields.map((field) => [field, definition[field]])),
    inputs: listed,
    ...(validate === undefined
      ? {}
      : { validate: { inputs: validate.inputs, inputTypes: validate.inputTypes === true } }),
  };
  return { data: encode(data), checks: validate !== undefined, changing };
}

/** Asks the pack process for a node's own check. */
export type AskCheck = (
  node: string,
  inputs: LooseInputs,
  inputTypes: Readonly<Record<string, string>>,
) => Promise<boolean | string>;

/** The definition of a description; its check is asked of `check`, and it can be run elsewhere only. */
export function reviveNode({ data, checks }: NodeDescription, check: AskCheck): NodeDefinition {
  const plain = decode(data) as NodeDefinition;
  const validate: ValidateSpec | undefined = checks
    ? {
        ...(plain.validate as ValidateSpec),
        check: (inputs, types) => check(plain.name, inputs, types),
      }
    : undefined;
  return {
    ...plain,
    inputs: mapChoices(plain.inputs, (choices) => {
      if (!isChoicesError(choices)) return choices;
      return () => {
        throw new Error(choices.choicesError);
      };
    }),
    validate,
    run: () => {
      throw new NoodleError('BAD_INPUT', {
        subject: `node ${plain.name}`,
        expected: 'to be run by an engine',
        got: 'a run in the server',
      });
    },
  };
}

type Choices = InputSpec['choices'] | ChoicesError;

function listChoices(
  list: (source: ChoiceSource) => readonly ComboChoice[],
  source: ChoiceSource,
): readonly ComboChoice[] | ChoicesError {
  try {
    const choices: unknown = list(source);
    if (!Array.isArray(choices)) throw new TypeError('choices: expected a list');
    return choices as ComboChoice[];
  } catch (error) {
    return { choicesError: messageOf(error) };
  }
}

const isChoicesError = (choices: Choices): choices is ChoicesError =>
  typeof choices === 'object' && 'choicesError' in choices;

/** The inputs with other choices, those inside of dynamic inputs too. */
function mapChoices(inputs: Inputs, change: (choices: Choices) => Choices): Inputs {
  const mapOne = (spec: InputSpec): InputSpec => ({
    ...spec,
    ...(spec.choices === undefined
      ? {}
      : { choices: change(spec.choices) as InputSpec['choices'] }),
    ...(spec.dynamic === undefined ? {} : { dynamic: mapDynamic(spec.dynamic) }),
  });
  const mapAll = (all: Inputs): Inputs =>
    Object.fromEntries(Object.entries(all).map(([name, spec]) => [name, mapOne(spec)]));
  const mapDynamic = (dynamic: DynamicSpec): DynamicSpec => {
    switch (dynamic.kind) {
      case 'autogrow':
        return { ...dynamic, template: [dynamic.template[0], mapOne(dynamic.template[1])] };
      case 'combo':
        return {
          ...dynamic,
          choices: dynamic.choices.map((choice) => ({ ...choice, inputs: mapAll(choice.inputs) })),
        };
      case 'slot':
        return { ...dynamic, inputs: mapAll(dynamic.inputs) };
      case 'group':
        return { ...dynamic, template: mapAll(dynamic.template) };
    }
  };
  return mapAll(inputs);
}

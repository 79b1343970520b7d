/** ONNX models as protobuf bytes (field numbers of onnx.proto, IR version 10). */
import {
  type Attribute,
  type Initializer,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  type WeightInitializer,
  operatorSets,
} from './model.ts';
import { dtypes } from '../weights/dtypes.ts';
import { type Message, encodeMessage } from './protobuf.ts';

/** Where the bytes of a weight lie for the reader of the model. */
export interface ExternalRange {
  /** Path relative to the folder that the session is given, with forward slashes. */
  readonly location: string;
  readonly offset: number;
}

/**
 * The model's bytes. `place` says for a weight either where it lies outside the model or which bytes
 * to put inside. `hidesSizes` leaves out the shapes of inputs and outputs, and has sizes as inputs with a default:
 * otherwise ONNX Runtime tells shapes from them all the same. The same model and places give the same bytes.
 */
export function encodeModel(
  model: OnnxModel,
  place: (weight: WeightInitializer) => ExternalRange | Uint8Array,
  { hidesSizes = false }: { readonly hidesSizes?: boolean } = {},
): Uint8Array {
  const shown = ({ name, dtype, shape }: OnnxValue): ShownValue => ({
    name,
    dtype,
    shape: hidesSizes ? undefined : shape,
  });
  return encodeMessage((m) => {
    m.int(1, 10);
    m.text(2, 'noodle');
    m.message(7, (graph) => {
      for (const node of model.nodes) graph.message(1, (m) => writeNode(m, node));
      graph.text(2, model.name);
      for (const initializer of model.initializers) {
        graph.message(5, (m) => {
          writeInitializer(
            m,
            initializer,
            'data' in initializer ? initializer.data : place(initializer),
          );
        });
      }
      for (const input of model.inputs) graph.message(11, (m) => writeValue(m, shown(input)));
      for (const sizes of hidesSizes ? model.initializers.filter(isSizes) : []) {
        graph.message(11, (m) => writeValue(m, shown(sizes))); // none needs to be fed
      }
      for (const output of model.outputs) graph.message(12, (m) => writeValue(m, shown(output)));
    });
    for (const [domain, version] of Object.entries(operatorSets)) {
      m.message(8, (set) => {
        set.text(1, domain);
        set.int(2, version);
      });
    }
  });
}

function writeNode(m: Message, node: OnnxNode): void {
  for (const input of node.inputs) m.text(1, input);
  for (const output of node.outputs) m.text(2, output);
  m.text(3, node.name);
  m.text(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    m.message(5, (attribute) => {
      attribute.text(1, name);
      writeAttribute(attribute, value);
    });
  }
  if (node.domain !== '') m.text(7, node.domain);
}

function writeAttribute(m: Message, value: Attribute): void {
  if ('float' in value) {
    m.float(2, value.float);
    m.int(20, 1);
  } else if ('int' in value) {
    m.int(3, value.int);
    m.int(20, 2);
  } else if ('text' in value) {
    m.text(4, value.text);
    m.int(20, 3);
  } else if ('floats' in value) {
    for (const item of value.floats) m.float(7, item);
    m.int(20, 6);
  } else {
    for (const item of value.ints) m.int(8, item);
    m.int(20, 7);
  }
}

function writeInitializer(
  m: Message,
  { name, dtype, shape }: Initializer,
  place: ExternalRange | Uint8Array,
): void {
  for (const dim of shape) m.int(1, dim);
  m.int(2, dtypes[dtype].onnx);
  m.text(8, name);
  if (place instanceof Uint8Array) {
    m.bytes(9, place);
    return;
  }
  const length = shape.reduce((size, dim) => size * dim, dtypes[dtype].bytes);
  for (const [key, value] of Object.entries({ ...place, length })) {
    m.message(13, (pair) => {
      pair.text(1, key);
      pair.text(2, String(value));
    });
  }
  m.int(14, 1);
}

/** Constants that sizes, axes and places are read from. */
const isSizes = (initializer: Initializer): boolean =>
  'data' in initializer && initializer.dtype === 'i64';

type ShownValue = Omit<OnnxValue, 'shape'> & { readonly shape: OnnxValue['shape'] | undefined };

function writeValue(m: Message, { name, dtype, shape }: ShownValue): void {
  m.text(1, name);
  m.message(2, (type) => {
    type.message(1, (tensor) => {
      tensor.int(1, dtypes[dtype].onnx);
      if (!shape) return;
      tensor.message(2, (dims) => {
        for (const dim of shape) {
          dims.message(1, (d) => (typeof dim === 'number' ? d.int(1, dim) : d.text(2, dim)));
        }
      });
    });
  });
}

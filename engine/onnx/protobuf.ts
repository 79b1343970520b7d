/** A writer for the protobuf wire format: just the three kinds of field that ONNX messages need. */

/** Collects the fields of one message. */
export interface Message {
  /** An integer or boolean field (varint); negative numbers take ten bytes, as int64 does. */
  int(field: number, value: number): void;
  float(field: number, value: number): void;
  text(field: number, value: string): void;
  bytes(field: number, value: Uint8Array): void;
  message(field: number, fill: (inner: Message) => void): void;
}

/**
 * The bytes of a message that `fill` writes. Nested messages are written in place with a length of
 * fixed width (5 bytes, padded), so nothing is encoded twice.
 */
export function encodeMessage(fill: (message: Message) => void): Uint8Array {
  let buffer = Buffer.allocUnsafe(1 << 16);
  let position = 0;
  const reserve = (size: number): void => {
    if (position + size <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, position + size));
    buffer.copy(larger, 0, 0, position);
    buffer = larger;
  };
  const varint = (value: number): void => {
    reserve(10);
    let rest = value < 0 ? (1n << 64n) + BigInt(value) : BigInt(value);
    while (rest >= 0x80n) {
      buffer[position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    buffer[position++] = Number(rest);
  };
  const smallVarint = (value: number): void => {
    reserve(5);
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) buffer[position++] = (rest & 0x7f) | 0x80;
    buffer[position++] = rest;
  };
  const tag = (field: number, wire: number): void => smallVarint((field << 3) | wire);

  const message: Message = {
    int: (field, value) => {
      tag(field, 0);
      if (value >= 0 && value < 2 ** 31) smallVarint(value);
      else varint(value);
    },
    float: (field, value) => {
      tag(field, 5);
      reserve(4);
      position = buffer.writeFloatLE(value, position);
    },
    text: (field, value) => {
      const size = Buffer.byteLength(value);
      tag(field, 2);
      smallVarint(size);
      reserve(size);
      position += buffer.write(value, position);
    },
    bytes: (field, value) => {
      tag(field, 2);
      smallVarint(value.byteLength);
      reserve(value.byteLength);
      buffer.set(value, position);
      position += value.byteLength;
    },
    message: (field, fillInner) => {
      tag(field, 2);
      reserve(5);
      const lengthAt = position;
      position += 5;
      fillInner(message);
      let length = position - lengthAt - 5;
      for (let i = 0; i < 5; i++, length >>>= 7) {
        buffer[lengthAt + i] = (length & 0x7f) | (i < 4 ? 0x80 : 0);
      }
    },
  };
  fill(message);
  return buffer.subarray(0, position);
}

/** glTF 2.0 in one binary file (Khronos Group 2017). */

const [MAGIC, JSON_CHUNK, BINARY_CHUNK] = [0x46546c67, 0x4e4f534a, 0x004e4942];
const [FLOAT, UNSIGNED_INT, VERTICES, INDICES, TRIANGLES] = [5126, 5125, 34962, 34963, 4];

/** A surface (x, y, z of corners; three corners a triangle, at least one) as a GLB; texts lie in `asset.extras`. */
export function encodeGlb(
  vertices: Float32Array,
  faces: Uint32Array,
  texts: readonly (readonly [key: string, value: string])[],
): Buffer {
  const bounds = [Math.min, Math.max].map((pick) =>
    [0, 1, 2].map((k) => {
      let most = vertices[k];
      for (let i = k; i < vertices.length; i += 3) most = pick(most, vertices[i]);
      return most;
    }),
  );
  const gltf = {
    asset: { version: '2.0', generator: 'Noodle', extras: Object.fromEntries(texts) },
    buffers: [{ byteLength: vertices.byteLength + faces.byteLength }],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: vertices.byteLength, target: VERTICES },
      {
        buffer: 0,
        byteOffset: vertices.byteLength,
        byteLength: faces.byteLength,
        target: INDICES,
      },
    ],
    accessors: [
      {
        bufferView: 0,
        byteOffset: 0,
        componentType: FLOAT,
        count: vertices.length / 3,
        type: 'VEC3',
        min: bounds[0],
        max: bounds[1],
      },
      {
        bufferView: 1,
        byteOffset: 0,
        componentType: UNSIGNED_INT,
        count: faces.length,
        type: 'SCALAR',
      },
    ],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, mode: TRIANGLES }] }],
    nodes: [{ mesh: 0 }],
    scenes: [{ nodes: [0] }],
    scene: 0,
  };
  const text = Buffer.from(JSON.stringify(gltf));
  const padded = Buffer.concat([text, Buffer.alloc(-text.length & 3, ' ')]);
  const binary = [bytesOf(vertices), bytesOf(faces)];
  const size = vertices.byteLength + faces.byteLength;
  const head = words(MAGIC, 2, 12 + 8 + padded.length + 8 + size);
  const chunks = [words(padded.length, JSON_CHUNK), padded, words(size, BINARY_CHUNK), ...binary];
  return Buffer.concat([head, ...chunks]);
}

function words(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((v, i) => out.writeUInt32LE(v, i * 4));
  return out;
}

/** As they lie in memory, which is little-endian wherever this runs. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

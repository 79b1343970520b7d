/** What the mock server says of model files, by path; undefined for other paths. */
export const modelAnswer = (path: string): unknown => answers[path];

const answers: Readonly<Record<string, unknown>> = {
  '/embeddings': [],
  '/models': ['checkpoints', 'loras'],
  '/models/loras': [],
  '/models/checkpoints': ['tiny-scenes.safetensors'],
  '/experiment/models': [{ name: 'checkpoints', folders: ['/models/checkpoints'] }],
  '/experiment/models/checkpoints': [
    { name: 'tiny-scenes.safetensors', pathIndex: 0, size: 7_340_032 },
  ],
  // What node packs and old classes would bring.
  '/global_subgraphs': {},
  '/node_replacements': {},
};

/**
 * What native code throws, under our codes. Running out of memory is told apart because it can be cured,
 * and a lost device because nothing more can be run on it.
 */
import { NoodleError } from '../errors.ts';

/** In the order they are looked for; the words are those of C++, Dawn, Vulkan, Direct3D and CUDA. */
const failures = [
  {
    code: 'DEVICE_LOST',
    words: [
      /\bdevice\]? (?:is|was) lost|DEVICE_LOST|DXGI_ERROR_DEVICE_(?:REMOVED|HUNG|RESET)/i,
      // errors that stay: every later call of the process fails with them
      /\b(?:CUDA|CUDNN|CUBLAS) failure (?:46|214|700|702|709|71\d|999)\b/,
    ],
  },
  {
    code: 'OUT_OF_MEMORY',
    words: [
      /bad.?alloc|failed to (?:allocate|create GPU buffer)|out of memory|cannot allocate/i,
      /OUT_OF_(?:DEVICE_|HOST_)?MEMORY|ALLOC_FAILED|\bCUDA failure 2\b/,
      // Dawn tells why a buffer could not be made in its log only; whoever uses it hears this
      /\[Invalid Buffer\b/,
      // a tensor of more pieces than a program on the device can see
      /Too many storage buffers in shader/,
    ],
  },
] as const;

/** An error of ONNX Runtime under our code: DEVICE_LOST, OUT_OF_MEMORY, else SESSION. */
export function nativeError(model: string, cause: unknown): NoodleError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const known = failures.find(({ words }) => words.some((word) => word.test(text)));
  const reason = withoutPlace(text).trim();
  return new NoodleError(known?.code ?? 'SESSION', { model, reason }, { cause });
}

/** Without the line of C++ and the condition that a check begins its message with. */
const withoutPlace = (text: string): string =>
  text.replace(/(?:^|(?<=Status Message: ))\/\S+\.(?:cc|h|cu):\d+ .*? was false\. /s, '');

import { describe, expect, it } from 'vitest';
import { nativeError } from '../../../engine/runtime/native-error.ts';

/** What ONNX Runtime 1.30 says: the CPU's and WebGPU's words as heard from it, CUDA's as it writes them. */
const heard = {
  OUT_OF_MEMORY: [
    'std::bad_alloc',
    "Non-zero status code returned while running Mul node. Name:'Mul' Status Message: " +
      '/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* Allocate(size_t) ' +
      'Failed to allocate memory for requested buffer of size 4398046511104000',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n' +
      ' - While validating entries[2] against { binding: 2, visibility: ShaderStage::Compute }.',
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/buffer_manager.cc:641 void Download(WGPUBuffer, ' +
      'void*, size_t) const map_async_result.status == wgpu::MapAsyncStatus::Success was false. Failed to ' +
      'download data from buffer. wgpu::MapAsyncStatus value: 3, message: [Invalid Buffer (unlabeled)] is ' +
      'invalid due to a previous error.\n',
    "Non-zero status code returned while running MatMul node. Name:'MatMul' Status Message: " +
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/shader_helper.cc:306 AddVariableImpl(bool) ' +
      'numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage ' +
      'buffers in shader. Current: 22, Max is 16\n',
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; expr=cudaMalloc((void**)&p, size);',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=h',
  ],
  DEVICE_LOST: [
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/buffer_manager.cc:641 void Download(WGPUBuffer, ' +
      'void*, size_t) const map_async_result.status == wgpu::MapAsyncStatus::Success was false. Failed to ' +
      'download data from buffer. wgpu::MapAsyncStatus value: 4, message: [Device] is lost.\n',
    'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
    'CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=h',
    'CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=h',
  ],
  SESSION: ['Invalid input shape: {2,2}', 'CUDA failure 1: invalid argument ; GPU=0 ; hostname=h'],
} as const;

describe('native errors', () => {
  it.each(Object.entries(heard))('are %s by their words', (code, texts) => {
    const codes = texts.map((text) => nativeError('m', new Error(text)).code);
    expect(codes).toEqual(texts.map(() => code));
  });

  it('keep what was wrong and leave out where C++ noticed it', () => {
    const [lost] = heard.DEVICE_LOST;
    expect(nativeError('unet', new Error(lost))).toMatchObject({
      details: {
        model: 'unet',
        reason:
          'Failed to download data from buffer. wgpu::MapAsyncStatus value: 4, message: [Device] is lost.',
      },
      message: expect.stringMatching(/device was lost.*'unet'.*--device cpu/s) as unknown,
    });
    expect(nativeError('unet', new Error(heard.OUT_OF_MEMORY[4])).details.reason).toMatch(
      /Name:'MatMul' Status Message: Too many storage buffers/,
    );
  });
});

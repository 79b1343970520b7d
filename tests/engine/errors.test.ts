/** `npm run types` is half of this test: errors carry what their messages name. */
import { describe, expect, it } from 'vitest';
import { type ErrorCode, NoodleError } from '../../engine/errors.ts';

describe('NoodleError', () => {
  it('carries what its message names, and nothing else', () => {
    const error = new NoodleError('BAD_INPUT', { subject: 'steps', expected: '1 or more', got: 0 });
    expect(error.message).toBe('steps: expected 1 or more, got 0');
    expect(error).toMatchObject({ code: 'BAD_INPUT', status: 400, details: { got: 0 } });
    // @ts-expect-error -- a name that is spelt wrong
    new NoodleError('BAD_INPUT', { subject: 'steps', expectd: '1 or more', got: 0 });
    // @ts-expect-error -- a value is missing
    new NoodleError('FILE_NOT_FOUND', { kind: 'model' });
    // @ts-expect-error -- no values at all
    new NoodleError('UNSUPPORTED');
    // @ts-expect-error -- this message names nothing
    new NoodleError('NO_VAE', { file: 'x' });
    const cause = new Error('why');
    expect(new NoodleError('INTERRUPTED', undefined, { cause })).toMatchObject({
      message: 'interrupted',
      cause,
      details: {},
    });
  });

  it('comes back as it was from another thread', () => {
    const { code, details, message } = new NoodleError('SESSION', { model: 'm', reason: 'r' });
    const wire = JSON.parse(JSON.stringify({ code, details })) as {
      code: ErrorCode;
      details: Record<string, unknown>;
    };
    expect(NoodleError.received(wire.code, wire.details)).toMatchObject({ code, message, details });
  });
});

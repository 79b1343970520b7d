/** What the schemas of the public API are put together from. */
import { Type } from 'typebox';

/** A text. */
export const text = (description: string, options: object = {}) =>
  Type.String({ description, ...options });

/** A whole number from 0 on. */
export const count = (description: string) => Type.Integer({ minimum: 0, description });

/** A point in time, ISO 8601. */
export const time = (description: string) => Type.String({ format: 'date-time', description });

/** The schema, or null. */
export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** One of these words; `about` is the description or several members. */
export const words = <const T extends readonly string[]>(values: T, about: string | object) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...(typeof about === 'string' ? { description: about } : about),
  });

/** An object of anything. */
export const free = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', description });

/** Query parameters of lists that come in pages of at most `most`. */
export const pageQuery = (usual: number, most: number) => ({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: usual })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
});

/** Checks requests against the schemas of their route; what is wrong is told by pointer. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import { Float, type Json } from '../../workflow/lossless-json.ts';
import { ProblemError } from './problem.ts';
import type { ProblemPart } from './schemas.ts';

const options = { strict: true, strictTypes: false, strictRequired: false, allErrors: true };
const formats = {
  uri: (text: string): boolean => URL.canParse(text),
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
};
// Keywords that explain and do not check.
const keywords = ['example'];

/** For bodies: nothing is converted. */
const bodies = new Ajv2020({ ...options, formats, keywords });
/** For what stands in the address, which is text: `5` becomes a number where one is wanted. */
const addresses = new Ajv2020({
  ...options,
  formats,
  keywords,
  coerceTypes: true,
  useDefaults: true,
});

const compiled = new WeakMap<TSchema, ValidateFunction>();

function validator(ajv: Ajv2020, schema: TSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const check = ajv.compile(schema);
  compiled.set(schema, check);
  return check;
}

/** Throws a problem unless `body` is what the schema says; `body` is plain JSON. */
export function checkBody(schema: TSchema, body: unknown): void {
  const check = validator(bodies, schema);
  if (check(body)) return;
  refuse(
    (check.errors ?? []).map((error) => ({
      pointer: pointerOf(error),
      detail: detailOf(error),
    })),
    'The request body is not what it should be.',
  );
}

/** The parameters as their schema types them; throws a problem when they cannot be. */
export function checkParameters(
  schema: TSchema,
  given: Readonly<Record<string, string | readonly string[] | undefined>>,
): unknown {
  const types = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const values: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(types)) {
    const value = given[name];
    if (value === undefined) continue;
    // Lists may be written `a,b` or given more than once.
    if (type === 'array') values[name] = [value].flat().flatMap((part) => part.split(','));
    else values[name] = Array.isArray(value) ? value.at(-1) : value;
  }
  const check = validator(addresses, schema);
  if (check(values)) return values;
  refuse(
    (check.errors ?? []).map((error) => ({
      parameter: pointerOf(error).split('/')[1] ?? '',
      detail: detailOf(error),
    })),
    'A parameter is not what it should be.',
  );
}

/** Plain JSON for checking: what the lossless parser tells apart are numbers again. */
export function plain(value: Json): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function refuse(errors: readonly ProblemPart[], detail: string): never {
  throw new ProblemError({ status: 400, code: 'validation_failed', detail, errors });
}

function pointerOf({ instancePath, keyword, params }: ErrorObject): string {
  const { missingProperty, additionalProperty } = params as Record<string, string>;
  const member =
    keyword === 'required'
      ? missingProperty
      : keyword === 'additionalProperties'
        ? additionalProperty
        : undefined;
  return member === undefined
    ? instancePath
    : `${instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function detailOf({ keyword, message, params }: ErrorObject): string {
  if (keyword === 'enum') {
    return `must be one of ${(params as { allowedValues: unknown[] }).allowedValues.join(', ')}`;
  }
  if (keyword === 'additionalProperties') return 'is not known here';
  return message ?? keyword;
}

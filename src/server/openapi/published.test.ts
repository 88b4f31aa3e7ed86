import { expect, test } from 'vitest';
import { object, optional, string } from '../../base/schema-types.ts';
import { published } from './published.ts';

test('what only the command line understands is left out, and fields that are called the same are not', () => {
  const schema = object(
    {
      short: string({ description: 'A field', short: 's', placeholder: 'TEXT', completion: 'none' }),
      chaosd: optional(string({ aliases: ['x'], chaosd: { type: 'int', text: 'a number' }, default: 'short' })),
    },
    { additionalProperties: false },
  );
  expect(published(schema)).toEqual({
    type: 'object',
    required: ['short'],
    additionalProperties: false,
    properties: {
      short: { type: 'string', description: 'A field' },
      chaosd: { type: 'string', default: 'short' },
    },
  });
});

test('a list of words needs no pattern beside it; a pattern alone stays', () => {
  const schema = { anyOf: [{ enum: ['a', 'b'], pattern: '^(a|b)$' }, { pattern: '^c$' }], examples: [{ short: 1 }] };
  expect(published(schema)).toEqual({ anyOf: [{ enum: ['a', 'b'] }, { pattern: '^c$' }], examples: [{ short: 1 }] });
});

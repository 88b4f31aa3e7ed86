import { array, integer, object, string, type TObject, type TSchema } from '../../../base/schema-types.ts';
import { errorSchema } from './injection.ts';
import { named, nullable } from './words.ts';

const errorAnswerSchema = named('ErrorAnswer', 'Nothing was done, and why', { error: errorSchema });

/** What any route may answer instead. */
export const errorAnswers = { '4xx': errorAnswerSchema, '5xx': errorAnswerSchema } as const;

export function pageOf(items: TSchema): TObject {
  return object(
    {
      items: array(items),
      total: integer({ description: 'How many there are on all pages together' }),
      offset: integer({ description: 'How many come before these' }),
      next: nullable(string({ description: 'Where the next page is; null: there is none' })),
    },
    { description: 'One page' },
  );
}

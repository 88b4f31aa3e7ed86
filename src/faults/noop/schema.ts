import type { Presentation } from '../../base/schema.ts';
import { object, optional, string } from '../../base/schema-types.ts';

/** What `attack noop hold` takes. */
export const holdSchema = object(
  {
    name: optional(
      string({
        ...({
          description: 'What to call the target that nothing is done to',
          placeholder: 'NAME',
        } satisfies Presentation),
        default: 'drill',
        pattern: '^[A-Za-z0-9._-]{1,64}$',
      }),
    ),
  },
  { additionalProperties: false },
);

import { literal, object, string, type TObject, unsafe } from '../../../base/schema-types.ts';
import { attackSchema } from '../../../experiment/request.ts';
import type { ActionDescriptor } from '../../../faults/fault.ts';
import { faults } from '../../../faults/registry.ts';

/*
 * The bodies of attacks, made of the same schemas as the flags. `parseAttackBody` and the fault check a body field by
 * field and say which one is wrong; these tell clients beforehand.
 */

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** The body of one action: what the fault takes, what every attack takes, and which of the actions it is. */
export function attackBodySchema(kind: string, action: string, { schema, summary }: ActionDescriptor): TObject {
  return object(
    { kind: literal(kind), action: literal(action), ...schema.properties, ...attackSchema.properties },
    { $id: `${capital(kind)}${capital(action)}`, description: summary, additionalProperties: false },
  );
}

const bodies = faults.flatMap(({ kind, actions }) =>
  Object.entries(actions).map(([action, descriptor]) => attackBodySchema(kind, action, descriptor)),
);

export const anyAttackSchema = unsafe({ oneOf: bodies, description: 'One attack, by any fault' });

/** The same with `schedule` beside its fields. */
export const anyScheduleSchema = unsafe({
  oneOf: bodies.map((body) =>
    object(
      {
        ...body.properties,
        schedule: string({ description: 'When: five fields of cron (minute first), or @every 10s', minLength: 1 }),
      },
      { $id: `Scheduled${body.$id ?? ''}`, description: body.description ?? '', additionalProperties: false },
    ),
  ),
  description: 'One attack, by any fault, again and again',
});

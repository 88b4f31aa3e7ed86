import type { Presentation } from '../../base/schema.ts';
import { integer, object, optional, string, type TObject, type TProperties, union } from '../../base/schema-types.ts';
import { criteriaProperties } from '../../targets/schema.ts';

const show = (presentation: Presentation): Presentation => presentation;

const timeText = (description: string, placeholder = 'TIME') =>
  optional(string(show({ description, placeholder, completion: 'duration' })));

const recoverProperties = {
  recoverCmd: optional(
    string({
      ...show({
        description: 'Run this with sh -c when the injection is recovered; its exit code is checked',
        short: 'r',
        placeholder: 'COMMAND',
        aliases: ['recover-cmd'],
      }),
      minLength: 1,
      maxLength: 65_536,
    }),
  ),
  recoverTimeout: timeText('How long the recover command may take (default 30s)'),
};

const killProperties = {
  signal: optional(
    union(
      [integer(), string()],
      show({
        description: 'Signal to send, by name or number (default 9)',
        short: 's',
        placeholder: 'SIGNAL',
        completion: 'signal',
        chaosd: { type: 'int', text: 'The signal number to send (default 9)' },
      }),
    ),
  ),
  grace: timeText('Send SIGTERM (or --signal), wait this long, then SIGKILL what still lives'),
  interval: timeText('With --duration: look again this often, and kill what has come back'),
  observe: timeText('After the kill, look this long for who comes back under the same name'),
};

const waitProperty = { wait: timeText('How long to look for the effect before giving a verdict (default 5s)') };

function schemaOf<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return object(properties, { additionalProperties: false });
}

/** What `attack process kill` takes. */
export const killSchema = schemaOf({ ...criteriaProperties, ...killProperties, ...waitProperty, ...recoverProperties });

/** What `attack process stop` takes. */
export const stopSchema = schemaOf({ ...criteriaProperties, ...waitProperty, ...recoverProperties });

/** chaosd has no such attack: its help lists what chaosd has, and must not take this for one of its flags. */
const { chaosd: _notChaosds, ...processProperty } = criteriaProperties.process as typeof criteriaProperties.process &
  Presentation;

/** What `attack process oom` takes. */
export const oomSchema = schemaOf({
  ...criteriaProperties,
  process: processProperty,
  wait: timeText('How long the OOM killer may take to strike before it is given up (default 30s)'),
});

import type { ActionDescriptor, FaultDescriptor } from '../fault.ts';
import { killSchema, stopSchema } from './schema.ts';

const selection = [
  'NAME is the name that the kernel keeps (ps -o comm), or, where that is cut at 15 bytes, the base name of the ' +
    'program; case matters. A number is a PID first, and a name if nobody has that PID. Zombies are no targets. ' +
    'Several criteria must all hold.',
  'Never hit: PID 1, kernel threads, Faultline itself, its parents, and, unless --allow-protected is given, sshd ' +
    'and the names in the policy. One that you name is refused; one that a pattern catches is left out, and the ' +
    'plan says so.',
];

const kill: ActionDescriptor = {
  summary: 'kill process, default signal 9',
  details: [
    ...selection,
    'Each target is watched until it is seen what became of it: died of which signal, handled it and lives on, ' +
      'respawned under another PID. A killed process cannot be brought back; --recover-cmd names a command that does.',
  ],
  schema: killSchema,
  examples: [
    { command: 'attack process kill -p nginx --dry-run', does: 'list exactly what would be hit' },
    { command: 'attack process kill -p 4123 -s TERM', does: 'send SIGTERM to one process' },
    { command: 'attack process kill -p worker --mode fixed-percent --value 30', does: 'kill three workers of ten' },
    { command: 'attack process kill -p api --grace 10s', does: 'SIGTERM, ten seconds later SIGKILL' },
    {
      command: 'attack process kill -p api --interval 2s --duration 1m',
      does: 'for a minute, kill whatever comes back',
    },
    { command: "attack process kill -p api -r 'systemctl start api'", does: 'recover starts it again' },
  ],
};

const stop: ActionDescriptor = {
  summary: 'stop process, this action will stop the process with SIGSTOP',
  details: [
    ...selection,
    'A stopped process keeps its memory, sockets and locks, and does nothing. recover continues it; so does the ' +
      'end of --duration, by itself. A process that was stopped before is left stopped at recovery, as it was ' +
      'found.',
  ],
  schema: stopSchema,
  examples: [
    { command: 'attack process stop -p postgres --duration 30s', does: 'freeze it for 30 seconds' },
    { command: 'attack process stop -p 4123', does: 'stop one process until it is recovered' },
    { command: 'attack process stop --cgroup /system.slice/api.service', does: 'stop all processes of a service' },
  ],
};

export const processFault: FaultDescriptor = {
  kind: 'process',
  summary: 'Process attack related commands',
  actions: { kill, stop },
  load: async () => (await import('./fault.ts')).processFaultBehaviour,
};

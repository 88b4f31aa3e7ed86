import type { ActionDescriptor, FaultDescriptor } from '../fault.ts';
import { killSchema, oomSchema, stopSchema } from './schema.ts';

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

const oom: ActionDescriptor = {
  summary: 'have the OOM killer of the kernel kill process, by filling the memory of its cgroup',
  details: [
    ...selection,
    'The cgroup of the process must have a memory limit, lower than any above it; the root cgroup is refused, and ' +
      'so is a host that has less memory left than it takes. The oom_score_adj of the process is raised to 1000, so ' +
      'that it is the one to die, and a process of Faultline fills the cgroup up to the limit until the kernel ' +
      'kills. That one is bounded in memory and time, is the next to be killed should anything go wrong, and dies ' +
      'with the command.',
    'Where memory.oom.group is set all processes of the cgroup die, and the plan lists them. A killed process cannot ' +
      'be brought back.',
  ],
  schema: oomSchema,
  examples: [
    { command: 'attack process oom -p api --dry-run', does: 'see the cgroup, its limit and who would die' },
    { command: 'attack process oom -p api', does: 'does the service come back after an OOM kill?' },
  ],
};

export const processFault: FaultDescriptor = {
  kind: 'process',
  summary: 'Process attack related commands',
  actions: { kill, stop, oom },
  load: async () => (await import('./fault.ts')).processFaultBehaviour,
  programs: { hog: async () => (await import('./oom/hog.ts')).runHog },
};

import type { BpfProgram } from '../bpf/assembler.ts';
import type { KernelLayout } from './kernel-layout.ts';
import {
  clear,
  type DeathMaps,
  emit,
  follow,
  forget,
  FRAME,
  look,
  noteCgroup,
  type Parts,
  program,
  put,
  readArguments,
  readKernel,
  readProcess,
  readUid,
  Slot,
} from './program-parts.ts';
import { SI_KERNEL } from './event.ts';
import { commBytes, oomAt, oomBytes, OomField, ProcessField, RecordType, recordBytes } from './record.ts';
import { signalAt, signalBytes, SignalField } from './record.ts';

/*
 * The programs on the four tracepoints. Only deaths and execs are told of as they happen. Who sent a signal, and whom
 * the OOM killer marked, is kept in maps until the process dies: most signals kill nobody.
 */

/** include/linux/sched.h */
const PF_KTHREAD = 0x0020_0000;
/** include/linux/sched/signal.h */
const SIGNAL_GROUP_EXIT = 4;
/** enum of include/trace/events/signal.h: nobody hears of it; another of the same was there before. */
const TRACE_SIGNAL_IGNORED = 1;
const TRACE_SIGNAL_ALREADY_PENDING = 2;

/** Signals that end nobody: SIGCHLD, SIGCONT, those that stop, SIGURG, SIGWINCH, and the two that glibc uses itself. */
const harmless = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33] as const;

/** After which a program may exit as it was asked to, the likeliest first: SIGTERM, SIGINT, SIGHUP, SIGQUIT. */
const requests = [15, 2, 1, 3] as const;

/** signal:signal_generate (sig, info, task, group, result) */
export function signalProgram(layout: KernelLayout, maps: DeathMaps): BpfProgram {
  return program(layout, maps, (parts) => {
    const { asm } = parts;
    const field = (name: keyof typeof SignalField): number => Slot.record + signalAt + SignalField[name];
    const [sent, isNothing, isKernel] = ['sent', 'nothing', 'kernel'];
    asm.load(8, 7, 6, 0).load(8, 1, 6, 32).compute(1, '&=', 0xff);
    asm.jumpIf(1, '==', TRACE_SIGNAL_IGNORED, 'end').jumpIf(1, '==', TRACE_SIGNAL_ALREADY_PENDING, 'end');
    for (const signal of harmless) asm.jumpIf(7, '==', signal, 'end');
    asm.call('bpf_get_current_task').compute(8, '=', { register: 0 });
    noteCgroup(parts, 8);
    asm
      .remark('who runs, which is who sends')
      .store(4, FRAME, field('signal'), { register: 7 })
      .load(8, 1, FRAME, Slot.cgroup)
      .store(8, FRAME, field('cgroup'), { register: 1 });
    readUid(parts, signalAt + SignalField.uid, 8);
    readKernel(parts, field('tgid'), 4, 8, layout.task.tgid);
    follow(parts, 9, 8, layout.task.leader);
    readKernel(parts, field('comm'), commBytes, 9, layout.task.comm);
    asm.call('bpf_ktime_get_ns').store(8, FRAME, field('time'), { register: 0 });
    asm.remark('si_code').load(8, 9, 6, 8);
    asm.jumpIf(9, '==', 0, isNothing).jumpIf(9, '==', 1, isKernel);
    readKernel(parts, field('code'), 4, 9, layout.siCode);
    asm
      .jump(sent)
      .label(isNothing)
      .store(4, FRAME, field('code'), 0)
      .jump(sent)
      .label(isKernel)
      .store(4, FRAME, field('code'), SI_KERNEL)
      .label(sent);
    asm.remark('to whom').load(8, 8, 6, 16);
    readKernel(parts, Slot.key, 4, 8, layout.task.tgid);
    asm.store(4, FRAME, Slot.key + 4, { register: 7 });
    follow(parts, 9, 8, layout.task.leader);
    readKernel(parts, field('targetStart'), 8, 9, layout.task.startBootTime);
    put(parts, maps.senders, Slot.key, Slot.record + signalAt);
  });
}

/** oom:mark_victim (task), before Linux 6.8 (pid) */
export function victimProgram(layout: KernelLayout, maps: DeathMaps): BpfProgram {
  return program(layout, maps, (parts) => {
    const { asm } = parts;
    const { rss, mm, task, signal } = layout;
    const field = (name: keyof typeof OomField): number => Slot.record + oomAt + OomField[name];
    for (let at = 0; at < oomBytes; at += 8) asm.store(8, FRAME, Slot.record + oomAt + at, 0);
    asm.store(8, FRAME, Slot.key, 0).load(8, 7, 6, 0);
    asm.call('bpf_ktime_get_ns').store(8, FRAME, field('time'), { register: 0 });
    if (layout.victimIsTask) {
      readKernel(parts, Slot.key, 4, 7, task.tgid);
      follow(parts, 9, 7, task.signal);
      readKernel(parts, field('scoreAdj'), 2, 9, signal.oomScoreAdj);
      follow(parts, 9, 7, task.mm);
      readKernel(parts, field('totalVm'), 8, 9, mm.totalVm);
      if (rss !== null) {
        for (const kind of ['anon', 'file', 'shmem'] as const) readKernel(parts, field(kind), 8, 9, rss[kind]);
        asm.store(4, FRAME, field('hasSizes'), 1);
      }
    } else {
      asm.store(4, FRAME, Slot.key, { register: 7 });
    }
    put(parts, maps.victims, Slot.key, Slot.record + oomAt);
  });
}

/** Copy what r0 points to into the record. */
function copy({ asm }: Parts, at: number, bytes: number): void {
  for (let offset = 0; offset < bytes; offset += 8) {
    asm.load(8, 1, 0, offset).store(8, FRAME, Slot.record + at + offset, { register: 1 });
  }
}

/** Who sent the signal that ended it; of one that exited, who asked it to. Uses r9. */
function readSender(parts: Parts): void {
  const { asm, maps } = parts;
  const [found, asked, none] = [asm.fresh('found'), asm.fresh('asked'), asm.fresh('none')];
  asm
    .remark('who sent the signal')
    .load(4, 1, FRAME, Slot.record + ProcessField.tgid)
    .store(4, FRAME, Slot.key, { register: 1 })
    .load(4, 9, FRAME, Slot.record + ProcessField.status)
    .compute(1, '=', { register: 9 })
    .compute(1, '&=', 0x7f)
    .jumpIf(1, '==', 0, asked)
    .store(4, FRAME, Slot.key + 4, { register: 1 });
  look(parts, maps.senders, Slot.key);
  asm.jumpIf(0, '!=', 0, found).jump(none).label(asked);
  // As a shell tells of a signal, or whoever does as a shell: 128 and its number.
  asm
    .compute(9, '>>=', 8)
    .compute(9, '&=', 0xff)
    .compute(9, '-=', 128)
    .store(4, FRAME, Slot.key + 4, { register: 9 });
  look(parts, maps.senders, Slot.key);
  asm.jumpIf(0, '!=', 0, found);
  for (const signal of requests) {
    asm.store(4, FRAME, Slot.key + 4, signal);
    look(parts, maps.senders, Slot.key);
    asm.jumpIf(0, '!=', 0, found);
  }
  asm.jump(none).label(found);
  copy(parts, signalAt, signalBytes);
  forget(parts, maps.senders, Slot.key);
  asm.label(none);
}

function readVictim(parts: Parts): void {
  const { asm, maps } = parts;
  const none = asm.fresh('spared');
  asm
    .remark('was it marked by the OOM killer')
    .store(8, FRAME, Slot.key, 0)
    .load(4, 1, FRAME, Slot.record + ProcessField.tgid)
    .store(4, FRAME, Slot.key, { register: 1 });
  look(parts, maps.victims, Slot.key);
  asm.jumpIf(0, '==', 0, none);
  copy(parts, oomAt, oomBytes);
  forget(parts, maps.victims, Slot.key);
  asm.label(none);
}

/** How it ended, as wait(2) will tell: of its group, or else of its main thread. Uses r9. */
function readStatus(parts: Parts): void {
  const { asm, layout } = parts;
  const [isGroup, done] = [asm.fresh('group'), asm.fresh('status')];
  const at = Slot.record + ProcessField.status;
  follow(parts, 9, 7, layout.task.signal);
  readKernel(parts, Slot.value, 4, 9, layout.signal.flags);
  asm.load(4, 1, FRAME, Slot.value).compute(1, '&=', SIGNAL_GROUP_EXIT).jumpIf(1, '!=', 0, isGroup);
  readKernel(parts, at, 4, 8, layout.task.exitCode);
  asm.jump(done).label(isGroup);
  readKernel(parts, at, 4, 9, layout.signal.groupExitCode);
  asm.label(done);
}

/** sched:sched_process_exit (task, group_dead), before Linux 6.16 (task) */
export function exitProgram(layout: KernelLayout, maps: DeathMaps): BpfProgram {
  return program(layout, maps, (parts) => {
    const { asm } = parts;
    asm.load(8, 7, 6, 0);
    if (layout.exitTellsGroup) {
      asm.load(8, 1, 6, 8).compute(1, '&=', 0xff).jumpIf(1, '==', 0, 'end');
    } else {
      follow(parts, 9, 7, layout.task.signal);
      readKernel(parts, Slot.value, 4, 9, layout.signal.live);
      asm.load(4, 1, FRAME, Slot.value).jumpIf(1, '!=', 0, 'end');
    }
    readKernel(parts, Slot.value, 4, 7, layout.task.flags);
    asm.load(4, 1, FRAME, Slot.value).compute(1, '&=', PF_KTHREAD).jumpIf(1, '!=', 0, 'end');
    noteCgroup(parts, 7);
    clear(parts, recordBytes.death);
    asm.store(4, FRAME, Slot.record, RecordType.death);
    follow(parts, 8, 7, layout.task.leader);
    readProcess(parts, 7);
    readStatus(parts);
    readSender(parts);
    readVictim(parts);
    readArguments(parts, 7, 'death');
    emit(parts, recordBytes.death);
  });
}

/** sched:sched_process_exec (task, old_pid, bprm) */
export function execProgram(layout: KernelLayout, maps: DeathMaps): BpfProgram {
  return program(layout, maps, (parts) => {
    const { asm } = parts;
    asm.load(8, 7, 6, 0);
    noteCgroup(parts, 7);
    clear(parts, recordBytes.exec);
    asm.store(4, FRAME, Slot.record, RecordType.exec);
    follow(parts, 8, 7, layout.task.leader);
    readProcess(parts, 7);
    readArguments(parts, 7, 'exec');
    emit(parts, recordBytes.exec);
  });
}

import { FaultlineError } from '../../base/error.ts';
import { findFunction } from '../../linux/kallsyms.ts';
import type { Abilities } from './abilities.ts';
import { failPoints } from './fail-points.ts';
import { functionUnknown } from './functions.ts';
import type { Way } from './schema.ts';
import type { KernelSpec } from './spec.ts';

/*
 * The ladder: of the ways to make a function fail, the best that the host has and that can do what is asked for.
 */

const noWay =
  'it needs CONFIG_BPF_KPROBE_OVERRIDE, or fmod_ret and the function in its BTF; faultline doctor tells more';

type Asked = Pick<KernelSpec, 'failtype' | 'frames' | 'condition' | 'scope' | 'probability' | 'via' | 'nth'>;

/** What the kernel's own fault injection cannot do of this; undefined: all of it. */
function beyondDebugfs({ failtype, frames, condition, scope, probability }: Asked): string | undefined {
  if (failtype === null) return 'fails the three types only, and no --function';
  if (frames.length > 0 || condition !== null) return 'knows neither frames nor predicates';
  if (scope.kind === 'system') return 'could not spare init and Faultline: choose --cgroup or --process';
  return Number.isInteger(probability) ? undefined : 'takes whole percents only';
}

/** @throws {FaultlineError} ARGUMENT_INVALID, HOST_UNSUPPORTED */
function checkDebugfs(asked: Asked, abilities: Abilities): void {
  const beyond = beyondDebugfs(asked);
  if (beyond !== undefined) {
    throw new FaultlineError('ARGUMENT_INVALID', `the kernel's own fault injection (debugfs) ${beyond}`, {
      hint: 'leave out --via and --nth for programs of eBPF, where the host allows them',
    });
  }
  if (asked.failtype !== null && !abilities.capabilityFor(asked.failtype)) {
    const { capability } = failPoints[asked.failtype];
    throw new FaultlineError('HOST_UNSUPPORTED', `/sys/kernel/debug/${capability} is not there`, {
      hint: `it needs CONFIG_${capability.toUpperCase()}, CONFIG_FAULT_INJECTION_DEBUG_FS, and debugfs mounted`,
    });
  }
}

function canByDebugfs(asked: Asked, abilities: Abilities): boolean {
  return asked.failtype !== null && beyondDebugfs(asked) === undefined && abilities.capabilityFor(asked.failtype);
}

/**
 * @param name the function that is to fail
 * @throws {FaultlineError} ARGUMENT_INVALID, HOST_UNSUPPORTED
 */
export function chooseWay(name: string, asked: Asked, abilities: Abilities): Way {
  const { via, nth, frames } = asked;
  if (nth !== null && via !== null && via !== 'debugfs') {
    throw new FaultlineError('ARGUMENT_INVALID', `--nth is not to be had by ${via}`, { hint: 'leave out --via' });
  }
  if (via === 'debugfs' || nth !== null) {
    checkDebugfs(asked, abilities);
    return 'debugfs';
  }
  if (via !== 'fmod_ret' && abilities.override()) return 'override';
  if (via === 'override') {
    throw new FaultlineError('HOST_UNSUPPORTED', 'kprobes cannot override what functions return here', { hint: noWay });
  }
  if (!abilities.modifyReturn(name)) {
    if (via === null && canByDebugfs(asked, abilities)) return 'debugfs';
    // Either there is no such function, or nothing can be done with it.
    if (findFunction(name) === undefined) throw functionUnknown(name);
    throw new FaultlineError('HOST_UNSUPPORTED', `nothing here can make ${name} fail`, { hint: noWay });
  }
  if (frames.length > 0 && !abilities.kprobes()) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'frames cannot be followed here: there are no kprobes', {
      hint: 'leave the frames out, or use a kernel with CONFIG_KPROBES',
    });
  }
  return 'fmod_ret';
}

import type { Host } from '../../linux/host.ts';
import { errorInjectionList } from '../../linux/error-injection.ts';
import { type KernelConfig, kernelConfig } from '../../linux/kernel-config.ts';
import { hasBtf } from '../../linux/btf/btf.ts';
import type { Requirement } from '../fault.ts';
import { followsThreads, hasCapabilityFor, hasKprobes, hasModifyReturn, hasOverride } from './abilities.ts';
import { failPoints, failTypes } from './fail-points.ts';

const distributions =
  'kernels of Ubuntu have it; those of Debian, RHEL and SLES are built without, and have fmod_ret in its place';

/** What the options say, where the kernel shows them. */
function optionText(config: KernelConfig | undefined, ...names: readonly string[]): string {
  if (config === undefined) return 'the kernel does not show its options';
  return names
    .map((name) => `CONFIG_${name}${config.has(name) ? `=${config.get(name) ?? ''}` : ' is not set'}`)
    .join(', ');
}

/** The one that decides: is there any way at all? */
function best(
  override: boolean,
  modifyReturn: boolean,
  debugfs: boolean,
  config: () => KernelConfig | undefined,
): Requirement {
  const name = 'error injection';
  if (override) return { name, status: 'ok', detail: 'kprobes override what functions return' };
  const options = optionText(config(), 'KPROBES', 'BPF_KPROBE_OVERRIDE', 'FUNCTION_ERROR_INJECTION');
  if (modifyReturn) {
    const remedy = `use a kernel with CONFIG_BPF_KPROBE_OVERRIDE for kprobes: ${distributions}`;
    return { name, status: 'degraded', detail: `fmod_ret takes the place of functions; ${options}`, remedy };
  }
  if (debugfs) {
    const remedy = `use a kernel with CONFIG_BPF_KPROBE_OVERRIDE: ${distributions}`;
    const detail = `only the three types, and without frames: by debugfs; ${options}`;
    return { name, status: 'degraded', detail, remedy };
  }
  const remedy = `use a kernel with KPROBES, FUNCTION_ERROR_INJECTION and BPF_KPROBE_OVERRIDE: ${distributions}`;
  return { name, status: 'missing', detail: `this kernel lets nobody make its functions fail: ${options}`, remedy };
}

function types(): Requirement {
  const name = 'BTF';
  if (hasBtf()) return { name, status: 'ok', detail: 'the kernel tells its types: predicates can be compiled' };
  const remedy = 'use a kernel with CONFIG_DEBUG_INFO_BTF';
  return { name, status: 'degraded', detail: 'no predicates, no --process and no --system-wide', remedy };
}

function list(config: () => KernelConfig | undefined): Requirement {
  const name = 'function list';
  const functions = errorInjectionList();
  if (functions === undefined) {
    const options = config();
    const option = 'FUNCTION_ERROR_INJECTION';
    const isBuiltIn = options === undefined || options.has(option);
    return {
      name,
      status: 'degraded',
      detail: `no --function: the list of what may fail cannot be seen; ${optionText(options, option)}`,
      remedy: isBuiltIn
        ? 'mount debugfs: mount -t debugfs debugfs /sys/kernel/debug'
        : `use a kernel with CONFIG_${option}`,
    };
  }
  const absent = failTypes.filter((type) => !functions.has(failPoints[type].function));
  if (absent.length === 0) return { name, status: 'ok', detail: `${functions.size} functions may fail` };
  const options = absent.flatMap((type) => failPoints[type].option ?? []).map((option) => `CONFIG_${option}`);
  return {
    name,
    status: 'degraded',
    detail: `${functions.size} functions may fail, but not ${absent.join(' and ')}`,
    remedy: `from Linux 6.11 on that needs ${options.join(' and ')}; fail another function by --function`,
  };
}

function frames(kprobes: boolean): Requirement {
  const name = 'frames';
  if (!kprobes) {
    const remedy = 'use a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS';
    return { name, status: 'degraded', detail: 'no call chains: there are no kprobes', remedy };
  }
  if (followsThreads()) return { name, status: 'ok', detail: 'call chains can be followed' };
  return { name, status: 'degraded', detail: 'call chains cannot be followed', remedy: 'use Linux 5.15 or newer' };
}

/** The kernel's own fault injection, where nothing better is there, and for `--nth`. */
function ownInjection(): Requirement {
  const name = 'fault injection';
  const has = failTypes.filter(hasCapabilityFor);
  if (has.length === failTypes.length) return { name, status: 'ok', detail: 'debugfs has all three types' };
  const options = 'CONFIG_FAILSLAB, FAIL_PAGE_ALLOC, FAIL_MAKE_REQUEST and FAULT_INJECTION_DEBUG_FS';
  const detail = has.length === 0 ? 'debugfs has none, and there is no --nth' : `debugfs has only ${has.join(' and ')}`;
  return { name, status: 'degraded', detail, remedy: `use a kernel with ${options}` };
}

/** What this host gives to faults in the kernel. */
export function checkHost(host: Host): readonly Requirement[] {
  if (!host.capabilities.has('CAP_SYS_ADMIN')) {
    const detail = 'programs cannot be loaded into the kernel';
    return [{ name: 'CAP_SYS_ADMIN', status: 'missing', detail, remedy: 'run as root' }];
  }
  let config: KernelConfig | undefined;
  const options = (): KernelConfig | undefined => {
    config ??= kernelConfig();
    return config;
  };
  const [kprobes, override] = [hasKprobes(), hasOverride()];
  const modifyReturn = !override && failTypes.some((type) => hasModifyReturn(failPoints[type].function));
  const debugfs = !override && !modifyReturn && failTypes.some(hasCapabilityFor);
  return [best(override, modifyReturn, debugfs, options), ownInjection(), frames(kprobes), list(options), types()];
}

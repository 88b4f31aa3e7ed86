import { FaultlineError } from '../../base/error.ts';
import type { Architecture } from '../../linux/arch.ts';
import { type Btf, findType, hasBtf, readBtf } from '../../linux/btf/btf.ts';
import { findConstant, parameterTypeNames } from '../../linux/btf/types.ts';
import { errorInjectionList, type ErrorType } from '../../linux/error-injection.ts';
import { findFunction } from '../../linux/kallsyms.ts';
import { isKernelAtLeast } from '../../linux/kernel-release.ts';
import { followsThreads, hostAbilities } from './abilities.ts';
import { compilePredicate, type Predicate } from './compiler/compile.ts';
import { maxParameters } from './compiler/declarations.ts';
import { failPoints, failureResult } from './fail-points.ts';
import type { Frame } from './frame-syntax.ts';
import { functionUninjectable } from './functions.ts';
import { type Design, type FailDesign, type ScopeDesign, taskOffsets } from './programs/design.ts';
import type { Way } from './schema.ts';
import type { PlannedScope } from './scope.ts';
import type { KernelSpec } from './spec.ts';
import { chooseWay } from './way.ts';

/*
 * What the programs are made from: what the user asks for, by the types and abilities of the running kernel.
 */

/** Where the types of a function are: in the kernel's BTF, or in that of the module that it is in. */
function btfOf(name: string): Btf {
  const kernel = readBtf();
  if (findType(kernel, name, 'function') !== undefined) return kernel;
  const module = findFunction(name)?.module ?? null;
  return module === null ? kernel : readBtf(module);
}

function predicateOf(name: string, { parameters, predicate }: Pick<Frame, 'parameters' | 'predicate'>) {
  if (predicate === null) return null;
  return compilePredicate(btfOf(name), { function: name, parameters, predicate });
}

/** ___GFP_NOFAIL of include/linux/gfp_types.h: a fixed bit until Linux 6.10, and since then one of an enumeration. */
const fixedNoFailBit = 15;

function noFailBit(): number {
  if (!isKernelAtLeast(6, 10)) return fixedNoFailBit;
  return Number(findConstant(readBtf(), '___GFP_NOFAIL_BIT')?.value ?? fixedNoFailBit);
}

type Failing = Pick<FailDesign, 'function' | 'result' | 'gfpParameter' | 'noFailBit'>;

function failingOf({ failtype, function: name, errno }: KernelSpec): Failing {
  if (failtype !== null) {
    const { function: point, result, gfpParameter } = failPoints[failtype];
    return { function: point, result, gfpParameter, noFailBit: gfpParameter === null ? 0 : noFailBit() };
  }
  if (name === null) throw new Error('a spec has a fail type or a function');
  const result = failureResult(errorTypeOf(name), errno);
  const gfpParameter = gfpParameterOf(name);
  return { function: name, result, gfpParameter, noFailBit: gfpParameter === null ? 0 : noFailBit() };
}

/**
 * What a function returns when it fails. Without the list it is not known, and a wrong guess, a pointer that is none,
 * would take the kernel along.
 */
function errorTypeOf(name: string): ErrorType {
  const list = errorInjectionList();
  if (list === undefined) {
    throw new FaultlineError('HOST_UNSUPPORTED', `how ${name} fails is not known: the kernel's list cannot be read`, {
      hint: 'mount debugfs: mount -t debugfs debugfs /sys/kernel/debug',
    });
  }
  const type = list.get(name);
  if (type === undefined) throw functionUninjectable(name, list);
  return type;
}

/** Which parameter are the flags by which a function is asked for memory; null: none, as far as its types tell. */
function gfpParameterOf(name: string): number | null {
  const point = Object.values(failPoints).find((one) => one.function === name);
  if (point !== undefined) return point.gfpParameter;
  if (!hasBtf()) return null;
  const index = parameterTypeNames(btfOf(name), name).slice(0, maxParameters).indexOf('gfp_t');
  return index === -1 ? null : index;
}

function scopeDesign(scope: PlannedScope): ScopeDesign {
  return scope.kind === 'processes' ? { kind: 'processes', follow: scope.follow } : { kind: scope.kind };
}

/** Without a design: the kernel's own fault injection needs no programs. */
export type PlannedDesign =
  | { readonly way: Exclude<Way, 'debugfs'>; readonly design: Design }
  | { readonly way: 'debugfs'; readonly design: null };

/**
 * @throws {FaultlineError} ARGUMENT_INVALID: a predicate, or a function that cannot be made to fail; HOST_UNSUPPORTED
 */
export function designOf(spec: KernelSpec, scope: PlannedScope, architecture: Architecture): PlannedDesign {
  const failing = failingOf(spec);
  const frames = spec.frames.map((frame): { readonly function: string; readonly predicate: Predicate | null } => ({
    function: frame.function,
    predicate: predicateOf(frame.function, frame),
  }));
  const predicate = spec.condition === null ? null : predicateOf(failing.function, spec.condition);
  const way = chooseWay(failing.function, spec, hostAbilities);
  if (way === 'debugfs') return { way, design: null };
  const design: Design = {
    architecture,
    frames,
    fail: { ...failing, predicate, way: way === 'override' ? 'override' : 'modify-return' },
    scope: scopeDesign(scope),
    // The whole host is meant with its interrupts; before Linux 5.15 they cannot be told.
    sparesInterrupts: scope.kind !== 'system' && followsThreads(),
    probability: spec.probability,
    times: spec.times,
    task: () => taskOffsets(readBtf()),
  };
  return { design, way };
}

import { workerData } from 'node:worker_threads';
import { serve } from '../../linux/fuse/worker-loop.ts';
import type { WorkerOptions } from '../../linux/fuse/worker-setup.ts';
import { interposerOf } from './rules/interposer.ts';
import type { SharedRules } from './shared-rules.ts';

/*
 * One thread of the data plane of a volume: it serves requests until the volume is unmounted, and disturbs those that
 * rules are about.
 */

const { fuse, rules } = workerData as { readonly fuse: WorkerOptions; readonly rules: SharedRules };
serve(fuse, interposerOf(rules));

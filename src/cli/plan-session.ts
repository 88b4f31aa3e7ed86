import { planExperiment, planProblems } from '../runner/plan.ts';
import { withEngine } from './engine-session.ts';
import { experimentAt } from './experiments/experiment-file.ts';
import type { Invocation } from './invocation.ts';
import { experimentPlanDocument, experimentPlanText } from './output/experiment-plan-text.ts';
import { refuseService } from './operations-session.ts';
import { sayDocument } from './output/format.ts';
import { say } from './output/style.ts';

/**
 * Show what a run of an experiment would do, and do nothing.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: a service is named; EXPERIMENT_INVALID: the file is not valid, or the run
 *   would be refused something
 */
export async function planSession(invocation: Invocation, file: string): Promise<void> {
  refuseService(invocation, 'plan FILE');
  const text = await experimentAt(file);
  await withEngine(invocation, { via: 'cli', supervise: false }, async (engine) => {
    const plan = await planExperiment(text.experiment, engine);
    if (invocation.format === 'text') say(experimentPlanText(plan));
    else await sayDocument(experimentPlanDocument(plan), invocation.format);
    const error = planProblems(plan, text);
    if (error !== undefined) throw error;
  });
}

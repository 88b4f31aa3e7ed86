import { FaultlineError } from '../base/error.ts';
import { demoPrograms } from '../demo/site.ts';
import { remarkError } from './output/errors.ts';
import { say } from './output/style.ts';

/**
 * `demo-program NAME ORDER`: one of the processes of the demo. It is built into a file of its own: five of them start
 * at once, and each would read all of the program first.
 */
export async function demoProgram(name: string, order: string): Promise<void> {
  try {
    const run = demoPrograms[name];
    if (run === undefined) throw new FaultlineError('ARGUMENT_INVALID', 'the demo has no such program');
    await run(order, say);
  } catch (error) {
    remarkError(error, 'text');
    // What goes on nevertheless, such as waiting for an end of input, must not.
    process.exit(1);
  }
}

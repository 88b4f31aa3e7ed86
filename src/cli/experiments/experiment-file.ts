import { FaultlineError } from '../../base/error.ts';
import { type ExperimentText, readExperimentFile } from '../../runner/file/read.ts';
import { readTextFile } from '../objects/text-file.ts';

/**
 * Read the experiment in a file, or in the standard input for `-`.
 *
 * @throws {FaultlineError} EXPERIMENT_INVALID, also where the file cannot be read: what is said of exit codes holds
 */
export async function experimentAt(file: string): Promise<ExperimentText> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (cause) {
    if (!(cause instanceof FaultlineError)) throw cause;
    const { message, hint } = cause;
    throw new FaultlineError('EXPERIMENT_INVALID', message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
  return readExperimentFile(text, file);
}

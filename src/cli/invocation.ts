import { textOf } from '../base/json.ts';
import type { Command } from 'commander';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type ConnectionFlags, connectionFlags } from './connection-options.ts';
import { type Format, parseFormat } from './output/format.ts';

export type ProgramName = 'faultline' | 'chaosd';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How the program was called: what every command knows beside its own arguments. */
export interface Invocation {
  readonly program: ProgramName;
  readonly stateDir: string | undefined;
  readonly logLevel: LogLevel;
  readonly format: Format;
  /** The way to a service; nothing in it for commands that never use one. */
  readonly connection: ConnectionFlags;
}

export const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies LogLevel[];

function isLogLevel(text: string): text is LogLevel {
  return logLevels.includes(text);
}

function parseLogLevel(text: unknown): LogLevel {
  if (text === undefined) return 'info';
  if (typeof text === 'string' && isLogLevel(text)) return text;
  throw new FaultlineError('ARGUMENT_INVALID', `there is no log level "${printable(textOf(text))}"`, {
    hint: `there is: ${logLevels.join(', ')}`,
  });
}

const stringOrNothing = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function invocationOf(program: ProgramName, command: Command): Invocation {
  const options: Readonly<Record<string, unknown>> = command.optsWithGlobals();
  return Object.freeze({
    program,
    stateDir: stringOrNothing(options['stateDir']),
    logLevel: parseLogLevel(options['logLevel']),
    format: parseFormat(stringOrNothing(options['output'])),
    connection: connectionFlags(options),
  });
}

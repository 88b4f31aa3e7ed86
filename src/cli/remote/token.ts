import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { readFileFor } from './secret-file.ts';

/** What can stand in a header as it is: ASCII without controls, and no space at either end. */
const sendable = /^[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?$/;

function checked(token: string, source: string): string {
  if (token === '') {
    throw new FaultlineError('ARGUMENT_INVALID', `${source} is empty`, { hint: 'it must hold the token, in one line' });
  }
  if (!sendable.test(token)) {
    throw new FaultlineError('ARGUMENT_INVALID', `${source} holds characters that no token can have`, {
      hint: 'one line of visible ASCII characters; nothing before or after it but the line’s end',
    });
  }
  return token;
}

function fromFile(file: string, flag: string): string {
  const text = readFileFor({ file, flag, secret: true });
  return checked(text.replace(/\r?\n$/, ''), `the file of ${flag}, ${printable(file)},`);
}

/**
 * The token to show to the service: from the file of the flag, else the environment. Never from an argument, which
 * every user of the host can read.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, SERVER_UNSAFE
 */
export function tokenFrom(tokenFile: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (tokenFile !== undefined) return fromFile(tokenFile, '--token-file');
  const { FAULTLINE_TOKEN: token = '', FAULTLINE_TOKEN_FILE: file = '' } = env;
  if (token !== '') return checked(token, 'FAULTLINE_TOKEN');
  return file === '' ? undefined : fromFile(file, 'FAULTLINE_TOKEN_FILE');
}

import { expect, test } from 'vitest';
import { errorCodes } from '../base/error-codes.ts';
import { FaultlineError } from '../base/error.ts';
import { fromFastify } from './request-error.ts';

function thrown(code: string, statusCode?: number, message = 'as it says'): Error {
  return Object.assign(new Error(message), { code, ...(statusCode === undefined ? {} : { statusCode }) });
}

test.each([
  [thrown('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'REQUEST_TOO_LARGE', 413],
  [thrown('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 'MEDIA_UNSUPPORTED', 415],
  [thrown('FST_ERR_CTP_EMPTY_JSON_BODY', 400), 'ARGUMENT_INVALID', 400],
  [thrown('FST_ERR_CTP_INVALID_JSON_BODY', 400), 'ARGUMENT_INVALID', 400],
  [thrown('FST_ERR_MAX_PARAM_LENGTH', 414), 'ARGUMENT_INVALID', 400],
  [thrown('FST_ERR_SOMETHING_NEW', 422), 'ARGUMENT_INVALID', 400],
  [thrown('ERR_HTTP_REQUEST_TIMEOUT'), 'REQUEST_TOO_SLOW', 408],
  [thrown('HPE_HEADER_OVERFLOW'), 'REQUEST_TOO_LARGE', 413],
  [thrown('HPE_INVALID_METHOD'), 'ARGUMENT_INVALID', 400],
  [thrown('ECONNRESET', 400), 'INTERRUPTED', 499],
  [thrown('FST_ERR_SOMETHING_BAD', 500), 'UNEXPECTED', 500],
  [new TypeError('a bug'), 'UNEXPECTED', 500],
  ['a text', 'UNEXPECTED', 500],
  [null, 'UNEXPECTED', 500],
])('%s is %s', (error, code, status) => {
  const told = fromFastify(error);
  expect(told.code).toBe(code);
  expect(errorCodes[told.code].http).toBe(status);
});

test('an error of our own is told as it is', () => {
  const error = new FaultlineError('FORBIDDEN', 'no');
  expect(fromFastify(error)).toBe(error);
});

test('what a caller has sent does not act on a terminal', () => {
  expect(fromFastify(thrown('FST_X', 400, 'a\u001b[31mb')).message).toBe('a\\x1b[31mb');
});

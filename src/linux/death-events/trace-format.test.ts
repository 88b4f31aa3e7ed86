import { expect, test } from 'vitest';
import { numberIn, parseTraceFormat, textIn } from './trace-format.ts';

const text = `name: mark_victim
ID: 609
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:int pid;\toffset:8;\tsize:4;\tsigned:1;
\tfield:__data_loc char[] comm;\toffset:12;\tsize:4;\tsigned:0;
\tfield:unsigned long total_vm;\toffset:16;\tsize:8;\tsigned:0;
\tfield:char short_comm[4];\toffset:24;\tsize:4;\tsigned:0;
\tfield:short oom_score_adj;\toffset:28;\tsize:2;\tsigned:1;

print fmt: "pid=%d comm=%s", REC->pid, __get_str(comm)
`;

test('fields of a record: numbers with and without a sign, texts in place and elsewhere', () => {
  const format = parseTraceFormat(text);
  if (format === undefined) throw new Error('it is a format');
  expect(format.id).toBe(609);
  const record = Buffer.alloc(40);
  record.writeInt32LE(4242, 8);
  record.writeUInt32LE((6 << 16) | 30, 12);
  record.writeBigUInt64LE(5_000_000_000n, 16);
  record.write('abc\0', 24);
  record.writeInt16LE(-998, 28);
  record.write('nginx\0', 30);
  expect(numberIn(format, record, 'pid')).toBe(4242);
  expect(numberIn(format, record, 'total_vm')).toBe(5_000_000_000);
  expect(numberIn(format, record, 'oom_score_adj')).toBe(-998);
  expect(textIn(format, record, 'comm')).toBe('nginx');
  expect(textIn(format, record, 'short_comm')).toBe('abc');
  expect(numberIn(format, record, 'not_there')).toBeUndefined();
  expect(numberIn(format, record.subarray(0, 20), 'total_vm')).toBeUndefined();
});

test('what is no format', () => {
  expect(parseTraceFormat('')).toBeUndefined();
  expect(parseTraceFormat('ID: 5\n')).toBeUndefined();
});

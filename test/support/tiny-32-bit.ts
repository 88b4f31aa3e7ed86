import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempFolder } from './cli.ts';

const BASE = 0x1_0000;
const HEADERS = 52 + 32;

/** `mov eax, 29; int 0x80; jmp` back: pause(2) for ever, for i386. */
const code = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];

/** Writes a 32-bit program that waits until it is killed: an ELF header, one program header, three instructions. */
export function write32BitProgram(): string {
  const file = Buffer.alloc(HEADERS + code.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const halves: readonly (readonly [number, number])[] = [
    [16, 2], // e_type: ET_EXEC
    [18, 3], // e_machine: EM_386
    [40, 52], // e_ehsize
    [42, 32], // e_phentsize
    [44, 1], // e_phnum
  ];
  for (const [offset, value] of halves) file.writeUInt16LE(value, offset);
  const words: readonly (readonly [number, number])[] = [
    [20, 1], // e_version
    [24, BASE + HEADERS], // e_entry
    [28, 52], // e_phoff
    [52, 1], // p_type: PT_LOAD
    [60, BASE], // p_vaddr
    [64, BASE], // p_paddr
    [68, file.length], // p_filesz
    [72, file.length], // p_memsz
    [76, 5], // p_flags: R+X
    [80, 0x1000], // p_align
  ];
  for (const [offset, value] of words) file.writeUInt32LE(value, offset);
  file.set(code, HEADERS);
  const name = path.join(tempFolder(), 'tiny');
  writeFileSync(name, file, { mode: 0o755 });
  return name;
}

import { Answer, type Handler } from '../data-plane.ts';
import { Opcode, OPCODES } from '../protocol.ts';
import { attributeHandlers } from './attributes.ts';
import { dataHandlers } from './data.ts';
import { directoryHandlers } from './directories.ts';
import { fileHandlers } from './files.ts';
import { linkHandlers } from './links.ts';
import { lockHandlers } from './locks.ts';
import { xattrHandlers } from './xattr.ts';

/** The last word of a file system that is unmounted, on block devices only. */
const destroy: Handler = () => 0;
/** An answer to a notification of ours that asks for one. None does. */
const notifyReply: Handler = () => Answer.NONE;

/** Who serves what, by opcode. INTERRUPT is for the loop; whatever else is missing is answered with ENOSYS. */
export const handlerOf: readonly (Handler | undefined)[] = ((): (Handler | undefined)[] => {
  const table = Array.from({ length: OPCODES }, (): Handler | undefined => undefined);
  const all: readonly (readonly [number, Handler])[] = [
    ...attributeHandlers,
    ...linkHandlers,
    ...fileHandlers,
    ...dataHandlers,
    ...directoryHandlers,
    ...xattrHandlers,
    ...lockHandlers,
    [Opcode.DESTROY, destroy],
    [Opcode.NOTIFY_REPLY, notifyReply],
  ];
  for (const [opcode, handler] of all) table[opcode] = handler;
  return table;
})();

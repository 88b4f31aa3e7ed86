import { findNginx } from '../../src/demo/nginx.ts';

function isThere(): boolean {
  try {
    findNginx();
    return true;
  } catch {
    return false;
  }
}

/** Debian's package `nginx-light` brings it. */
export const hasNginx = isThere();

if (!hasNginx) console.warn('SKIPPED: what needs the real nginx, which is not there (Debian: nginx-light)');

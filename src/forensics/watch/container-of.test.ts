import { expect, test } from 'vitest';
import { containerOf } from './container-of.ts';

const id = '4f1c'.repeat(16);

test.each([
  [`/system.slice/docker-${id}.scope`, '4f1c4f1c4f1c'],
  [`/docker/${id}`, '4f1c4f1c4f1c'],
  [`/docker/${id}/init.scope`, '4f1c4f1c4f1c'],
  [`/kubepods/burstable/pod0b5e2f0c-3d3d-4b0e-8f3b-111111111111/${id}`, '4f1c4f1c4f1c'],
  [`/kubepods.slice/kubepods-burstable.slice/cri-containerd-${id}.scope`, '4f1c4f1c4f1c'],
  [`/machine.slice/libpod-${id}.scope/container`, '4f1c4f1c4f1c'],
  ['/lxc.payload.web/system.slice', 'web'],
  ['/lxc/web', 'web'],
  ['/system.slice/nginx.service', null],
  [`/docker/${id.slice(1)}`, null],
  [null, null],
])('%s', (cgroup, container) => {
  expect(containerOf(cgroup)).toBe(container);
});

import { test } from 'vitest';
import { coveredBy, only } from './lab.ts';
import { startSwapper } from './swapper.ts';
for (const [name, fds, threads] of [['10 fds', 10, 0], ['1000 fds, 50 threads', 1000, 50]] as const) {
  test(name, async () => {
    const { volume, swapper, scope } = await coveredBy(`
fds = [os.open('f%d' % i, os.O_RDWR | os.O_CREAT, 0o644) for i in range(${fds})]
stop = threading.Event()
for i in range(${threads}):
    threading.Thread(target=stop.wait, daemon=True).start()
`);
    const pauses = [];
    const walls = [];
    for (let i = 0; i < 10; i += 1) for (const towards of ['overlay', 'original'] as const) {
      const t = performance.now();
      pauses.push(only(await swapper.order({ towards, scope })).pauseUs / 1000);
      walls.push(performance.now() - t);
    }
    const cold = [];
    for (let i = 0; i < 6; i += 1) {
      const next = await startSwapper(volume);
      cold.push(only(await next.order({ towards: i % 2 === 0 ? 'overlay' : 'original', scope })).pauseUs / 1000);
    }
    console.log(name, 'warm', pauses.map((p) => p.toFixed(1)).join(' '), 'cold', cold.map((p) => p.toFixed(1)).join(' '), 'walls', walls.map((p) => p.toFixed(0)).join(' '));
  });
}

import { describe, expect, it } from 'vitest';
import { kernelKey, kernelRecipe } from './kernel-recipe.ts';

describe('kernelRecipe', () => {
  it('is of the usual series, which has a recorded kernel', () => {
    const recipe = kernelRecipe('');
    expect(recipe).toMatchObject({ sourcePackage: `linux-source-${recipe.series}` });
    expect(recipe.recorded).toMatch(/^[0-9a-f]{64}$/u);
    expect(recipe.fragment).toContain('CONFIG_BPF_KPROBE_OVERRIDE=y\n');
  });

  it('takes another series, which has none', () => {
    expect(kernelRecipe('6.12')).toMatchObject({ series: '6.12', recorded: undefined });
  });

  it.each(['6', 'six', '../6.1', '6.1.0', '6.1 '])('refuses %j', (series) => {
    expect(() => kernelRecipe(series)).toThrow('beginning of a version');
  });
});

describe('kernelKey', () => {
  it('is the same for the same, and another one where anything differs', () => {
    const key = kernelKey('fragment', '6.1.192-2', 'gcc 12');
    expect(kernelKey('fragment', '6.1.192-2', 'gcc 12')).toBe(key);
    const others = [
      kernelKey('fragment6.1', '.192-2', 'gcc 12'),
      kernelKey('fragment', '6.1.193-1', 'gcc 12'),
      kernelKey('fragment', '6.1.192-2', 'gcc 14'),
    ];
    expect(new Set([key, ...others]).size).toBe(4);
  });
});

import type { Command } from 'commander';

/** `demo-program`: the processes of the demo, where not even they have a file of their own; not for people. */
export function addDemoProgram(root: Command): void {
  root
    .command('demo-program', { hidden: true })
    .description('Run a process of the demo')
    .argument('<NAME>')
    .argument('<ORDER>')
    .action(async (name: string, order: string) => {
      const { demoProgram } = await import('../demo-program.ts');
      await demoProgram(name, order);
    });
}

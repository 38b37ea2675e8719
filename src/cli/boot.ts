// `midge boot apply` and `midge boot report`, on Raspberry Pi OS `midge boot broker` and `midge boot report broker`: what the image's units run. Nobody types them.

import { OperatorError } from '../base/errors.ts';
import type { Invocation } from '../terminal/command.ts';
import { stamp } from './stamp.ts';

/** run takes up the boot partition, or reports to it; 0 unless the word is unknown: a boot goes on whatever happens. */
export async function run({ operands: [what, whom], terminal }: Invocation): Promise<number> {
  const { realWorld } = await import('../app/boot/world.ts');
  const world = realWorld((line) => void terminal.stdout.write(`${line}\n`));
  if (what === 'apply' || what === 'broker') {
    const { applyBootPartition } = await import('../app/boot/boot.ts');
    const { describeMistake } = await import('../boot/report.ts');
    const { mistakes, events } = await applyBootPartition(world, {
      only: what === 'apply' ? 'machine and broker' : 'broker',
      program: `midge ${stamp().version}`,
    });
    for (const line of [...mistakes.map(describeMistake), ...events]) world.say(line);
    return 0;
  }
  if (what === 'report') {
    const { reportBoot } = await import('../app/boot/report.ts');
    await reportBoot(world, `midge version ${stamp().version}`, whom === 'broker' ? 'broker' : 'machine and broker');
    return 0;
  }
  throw new OperatorError(
    `Cannot boot "${what ?? ''}": there are three steps - use: midge boot apply, midge boot broker, midge boot report [broker]`,
  );
}

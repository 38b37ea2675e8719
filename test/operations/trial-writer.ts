// A program of a test: changes a configuration without end, until it is killed.

import { silentLogger } from '../../src/base/logger.ts';
import { ConfigurationTrial } from '../../src/operations/configuration-trial.ts';

const [file = '', ...texts] = process.argv.slice(2);
const trial = new ConfigurationTrial(silentLogger);
const reload = async () => ({ at: 0, by: 'command' as const, error: null, mistakes: [], later: [] });
for (let turn = 0; ; turn++) {
  const { confirm } = await trial.apply(file, texts[turn % texts.length] ?? '', reload);
  if (turn === 0) process.stdout.write('begun\n');
  if (turn % 3 === 2) await trial.takeBack();
  else trial.confirm(confirm);
}

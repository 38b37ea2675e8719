// What is printed on the box of a computer that has no device tree, to be imported on demand.

import { system } from 'systeminformation';

/** What systeminformation calls a machine that it knows nothing about. */
const UNKNOWN_MODEL = 'Computer';

/** computerModel is null where nobody knows it. Rejects when the machine can't be asked. */
export async function computerModel(): Promise<{ vendor: string; model: string } | null> {
  const { manufacturer, model } = await system();
  return model === '' || model === UNKNOWN_MODEL ? null : { vendor: manufacturer, model };
}

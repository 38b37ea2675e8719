// The screen of the machine, which nobody signs in at: what it shows is ours.

import { writeFileSync } from 'node:fs';
import type { MachineFiles } from '../../host/machine-files.ts';

const SCREEN = '/dev/tty1';
const CLEAR = '\x1b[2J\x1b[3J\x1b[H';

/** showOnScreen puts a text in place of what is shown; lines end with \n. */
export function showOnScreen(files: MachineFiles, text: string): void {
  if (!files.exists(SCREEN)) return;
  try {
    writeFileSync(files.path(SCREEN), CLEAR + text.replaceAll('\n', '\r\n'));
  } catch {
    // a machine without a screen has the report on its boot partition
  }
}

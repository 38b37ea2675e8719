// Loaded before a midge (`node --import`): its clock is wrong by as many seconds as a file says, from moment to moment.

import { readFileSync } from 'node:fs';

/** Milliseconds between two looks. */
const LOOK_MS = 200;

const file = process.env['TURNED_CLOCK'] ?? '';
const right = Date.now;
let offset = 0;

function look(): void {
  offset = Number(readFileSync(file, 'utf8')) * 1000;
}

look();
setInterval(look, LOOK_MS).unref();
Date.now = () => right() + offset;

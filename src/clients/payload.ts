// The message of pub and rr: from the command line, a file, or standard input.

import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ClientMistake } from './mistake.ts';
import { systemText } from './outcome.ts';
import type { PayloadSource } from './settings.ts';

/** readPayload gives the bytes, or null when they come line by line. Throws ClientMistake when there are none to be had. */
export async function readPayload(source: PayloadSource, stdin: Readable): Promise<Buffer | null> {
  switch (source.kind) {
    case 'text':
      return source.payload;
    case 'file':
      return readFile(source.path);
    case 'stdin lines':
      return null;
    case 'stdin': {
      const bytes = await buffer(stdin);
      if (bytes.length > 0) return bytes;
      throw new ClientMistake('Error: Zero length input.\nError loading input from stdin.', { hint: false });
    }
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = `Error: Unable to read file "${path}": ${systemText(error)}.`;
    throw new ClientMistake(`${reason}\nError loading input file "${path}".`, { hint: false });
  }
}

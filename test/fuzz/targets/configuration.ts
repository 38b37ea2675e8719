// mosquitto.conf: every text becomes a configuration or a list of mistakes with their places, never an exception.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describeAccess, describeListeners, formatDiagnostic, loadConfiguration, treatLines } from '../../../src/config/config.ts';
import { DIRECTIVES } from '../../../src/config/directives.ts';
import { damagedText } from '../mutations.ts';
import type { Target } from '../target.ts';

const word = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...DIRECTIVES.map(({ name }) => name)) },
  { weight: 1, arbitrary: fc.constantFrom('listenr', '', 'include', 'include_dir', '#', 'Listener', '__proto__', 'constructor') },
);
const value = fc.oneof(
  fc.constantFrom(
    ...['', 'true', 'false', 'TRUE', '0', '-1', '1', '1883', '65535', '65536', '2147483647', '2147483648', '1e3', '0x10', ' 5', '5 '],
    ...[
      'jane',
      'correct horse',
      'localhost',
      '127.0.0.1',
      '::1',
      'fe80::1%lo',
      '0.0.0.0/0',
      '1883 127.0.0.1',
      '0 socket',
      'a/b',
      '#',
      '+/#',
    ],
    ...[
      'mqtt',
      'websockets',
      'tlsv1.2',
      'all',
      'none',
      'file log',
      'file',
      'stdout',
      'syslog',
      'topic',
      'dlt x',
      '2 weeks',
      '4d',
      '1h',
      '60',
    ],
    ...[
      'midge.conf',
      '{folder}/conf.d',
      '{folder}/included.conf',
      'sub/*.conf',
      '*',
      '**',
      'missing',
      './',
      '/dev/null',
      '{a,b}.conf',
      '[',
      'included.conf',
      '\u00e9',
      '# more',
    ],
    ...['%Y-%m-%d', 'ECDHE-RSA-AES256-GCM-SHA384', 'topic # both 2 local/ remote/', '1 2 3 4 5 6', 'a'.repeat(500)],
  ),
  fc.string({ maxLength: 20 }),
  fc.nat().map(String),
);
const line = fc.tuple(word, value).map((words) => words.join(' '));
const text = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n')).map(([lines, end]) => lines.join(end));

export const CONFIGURATION: Target<[string, string]> = {
  name: 'configuration',
  what: 'configuration files and a file that they include',
  input: fc.tuple(damagedText(text), damagedText(text)),
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    mkdirSync(join(folder, 'conf.d'));
    const file = join(folder, 'midge.conf');
    return {
      feed([main, included]) {
        writeFileSync(file, main.replaceAll('{folder}', folder));
        for (const name of ['included.conf', 'conf.d/one.conf']) writeFileSync(join(folder, name), included.replaceAll('{folder}', folder));
        const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
        assert.equal(
          configuration === null,
          diagnostics.some(({ severity }) => severity === 'error'),
        );
        for (const diagnostic of diagnostics) formatDiagnostic(diagnostic);
        if (configuration !== null) describeAccess(configuration).concat(describeListeners(configuration));
        treatLines(file);
        return 1;
      },
      close() {
        rmSync(folder, { recursive: true });
      },
    };
  },
};

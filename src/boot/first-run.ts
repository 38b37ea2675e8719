// firstrun.sh: the shell script that Raspberry Pi Imager wrote before 2023. It writes each wish twice, for old and new systems:
// `imager_custom set_wlan 'SSID' 'PSK' 'CC'` is the one that is read.

import { addKeys, hide, type Reading, sayNoLogin, setHostName, setTimeZone, setWifi } from './imager-wishes.ts';

const WORD = `'(?:[^']|'"'"')*'|[^\\s']+`;
const COMMAND = new RegExp(`^[ \\t]*(?:\\S*/)?(imager_custom \\w+|userconf)((?: +(?:${WORD}))*)[ \\t\\r]*$`, 'gm');
const HEAD = '# What midge reads of the script of Raspberry Pi Imager; the rest was for another system.\n';

type Commands = Record<string, string[]>;

/** parseFirstRun gives the words behind each command: of one that stands there twice, those of the first. */
export function parseFirstRun(text: string): Commands {
  const commands: Commands = {};
  for (const [, name = '', words = ''] of text.matchAll(COMMAND)) commands[name] ??= shellWords(words);
  return commands;
}

/** readFirstRun takes host name, time zone, SSH keys and one Wi-Fi. */
export function readFirstRun(data: Record<string, unknown>, reading: Reading): void {
  const commands = data as Commands; // parseFirstRun has made it
  const words = (name: string) => commands[name] ?? [];
  setHostName(words('imager_custom set_hostname')[0], reading);
  setTimeZone(words('imager_custom set_timezone')[0], reading);
  addKeys(words('imager_custom enable_ssh'), reading);
  sayNoLogin(words('userconf')[0], reading);
  const [user, wifi] = [words('userconf'), words('imager_custom set_wlan')];
  hide(asHolder(user), 1, 'login', reading);
  const at = wifi[0] === '-h' ? 1 : 0;
  const name = wifi[at];
  if (name !== undefined && name !== '')
    setWifi({ name, holder: asHolder(wifi), key: at + 1, country: wifi[at + 2], hidden: at === 1 }, reading);
}

/** writeFirstRun writes what parseFirstRun has read. */
export function writeFirstRun(data: Record<string, unknown>): string {
  const lines = Object.entries(data as Commands).map(([name, words]) => [name, ...words.map(quoteWord)].join(' '));
  return `${HEAD}${lines.join('\n')}\n`;
}

function shellWords(text: string): string[] {
  const found = text.match(new RegExp(WORD, 'g')) ?? [];
  return found.map((word) => (word.startsWith("'") ? word.slice(1, -1).replaceAll(`'"'"'`, "'") : word));
}

function quoteWord(word: string): string {
  return /^-\w$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** A list is an object with numbers for keys. */
function asHolder(words: string[]): Record<number, unknown> {
  return words as unknown as Record<number, unknown>;
}

// The settings of the broker inside openHAB 2.4 and 2.5 (services/mqttembeddedbroker.cfg), in the language of mosquitto.conf.

/** The five settings; openHAB takes the last one under two spellings. */
const NAMES = ['port', 'username', 'password', 'secure', 'persistence_file'] as const;
type Name = (typeof NAMES)[number];

/** Before a name may stand the service it is for: org.openhab.core, org.openhab or org.eclipse.smarthome, by version. */
const LINE = /^(?:(?<service>[\w.]+):)?\s*(?<name>[\w.]+)\s*[=:]\s*(?<value>.*)$/;
const SERVICE = /(?:^|\.)mqttembeddedbroker$/;

/** OpenhabLine is what becomes of a line; its text holds no password. */
export interface OpenhabLine {
  readonly line: number;
  readonly what: string;
  readonly outcome: 'taken' | 'refused' | 'left out';
  readonly reason: string | null;
}

/** OpenhabSettings: `text` is the configuration for midge. */
export interface OpenhabSettings {
  readonly lines: readonly OpenhabLine[];
  readonly text: string;
}

/** parseOpenhabSettings reads the file. What is not there has openHAB's default: port 1883 (8883 with secure), everybody may connect, state is kept. */
export function parseOpenhabSettings(text: string): OpenhabSettings {
  const values = new Map<Name, string>();
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => {
      const read = readLine(line.trim(), values);
      return read === null ? [] : [{ line: index + 1, ...read }];
    });
  return { lines, text: configurationOf(values) };
}

function readLine(line: string, values: Map<Name, string>): Omit<OpenhabLine, 'line'> | null {
  if (line === '' || line.startsWith('#')) return null;
  const { service, name = '', value = '' } = LINE.exec(line)?.groups ?? {};
  if (name === 'pid' && SERVICE.test(value)) return null; // says for which service the file is
  if (service !== undefined && !SERVICE.test(service))
    return { what: `${service}:${name}`, outcome: 'left out', reason: 'it is for another service' };
  const known = NAMES.find((each) => each === name || (each === 'persistence_file' && name === 'persistenceFile'));
  if (known === undefined) return { what: name || line.split('=')[0]!.trim(), outcome: 'refused', reason: `there are ${NAMES.join(', ')}` };
  const what = known === 'password' ? known : `${known}=${value}`;
  const mistake = mistakeIn(known, value);
  if (mistake !== null) return { what, outcome: 'refused', reason: mistake };
  values.set(known, value);
  return { what, outcome: 'taken', reason: known === 'persistence_file' ? reasonOf(value) : null };
}

function mistakeIn(name: Name, value: string): string | null {
  if (name === 'port' && value !== '' && !(/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535))
    return 'a port is a number from 1 to 65535';
  if (name === 'secure' && !/^(?:true|false|)$/i.test(value)) return 'it is true or false';
  return null;
}

function reasonOf(file: string): string {
  if (file === '') return 'nothing is stored';
  return 'the database is in the state folder; what openHAB has stored there is in a form of its own and stays with it';
}

function configurationOf(values: ReadonlyMap<Name, string>): string {
  const isSecure = values.get('secure')?.toLowerCase() === 'true';
  const [username, password] = [values.get('username') ?? '', values.get('password') ?? ''];
  const hasAccount = username !== '' && password !== ''; // as openHAB decides it
  return [
    `port ${values.get('port') || (isSecure ? 8883 : 1883)}`,
    `secure ${isSecure}`,
    ...(hasAccount
      ? [`username ${username}`, `password ${password}`]
      : [
          '# openHAB lets everybody in who has no username and password set. Better: add both and remove this line.',
          'allow_anonymous true',
        ]),
    values.get('persistence_file') === '' ? 'persistence_file' : 'persistence true',
  ]
    .map((line) => `${line}\n`)
    .join('');
}

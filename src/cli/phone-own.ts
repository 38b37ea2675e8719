// `midge phone card` and `midge phone places`: how others see a phone on their map, and the places that it has names for.

import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedFile, readNamedText } from '../base/named-file.ts';
import { visibleText } from '../logging/line.ts';
import type { Invocation } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { askBroker, tell } from './control-client.ts';

/** Bytes of a picture that a card can have, and of a file with places. */
const MOST_PICTURE = 49_152;
const MOST_FILE = 262_144;

interface Place {
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  readonly radius: number;
}

/** Places is the output of "phone places" and of "send phone places". */
interface Places {
  readonly places: readonly Place[];
  readonly file: { readonly content: string };
}

/** changeCard changes what is said, and leaves the rest as it is. */
export async function changeCard(person: string, device: string | null, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const [name, file] = [flags.get('name')?.at(-1), flags.get('picture')?.at(-1)];
  if (name === undefined && file === undefined)
    throw new OperatorError('Error: Nothing to change. Use --name NAME, --picture FILE, or both.', { exitCode: 2 });
  const picture = file === undefined ? {} : { picture: file === '' ? null : read(file, readNamedFile, MOST_PICTURE).toString('base64') };
  const wanted = { person, device, ...(name === undefined ? {} : { name }), ...picture };
  const { changed } = (await askBroker(invocation, 'change phone card', wanted)) as { readonly changed: readonly string[] }; // the row's output
  for (const topic of changed) terminal.stdout.write(`Changed the card at ${visibleText(topic)}.\n`);
  return 0;
}

/** placesOf shows those of a phone, or sends others to it. */
export async function placesOf(person: string, device: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const { stdout } = terminal;
  const [written, file, isFile] = [flags.get('place'), flags.get('import')?.at(-1), flags.has('otrw')];
  const isNew = written !== undefined || file !== undefined;
  const brought = file === undefined ? {} : { otrw: read(file, readNamedText, MOST_FILE) };
  const wanted = isNew ? { person, device, places: (written ?? []).map(placeIn), ...brought, send: !isFile } : { person, device };
  const answer = (await askBroker(invocation, isNew ? 'send phone places' : 'phone places', wanted)) as Places; // the row's output
  const { places } = answer;
  if (isFile) stdout.write(answer.file.content);
  else if (isNew)
    stdout.write(
      `Sent ${places.length} place${places.length === 1 ? '' : 's'} to ${visibleText(`${person}/${device}`)}. The app takes them when it is connected; on Android only where its remote configuration is on.\n`,
    );
  else if (places.length === 0) stdout.write('The phone has told no places since the broker started.\n');
  else tell(() => writeTable(terminal, [['NAME', 'LAT', 'LON', 'RADIUS'], ...places.map(rowOf)]));
  return 0;
}

function rowOf({ name, lat, lon, radius }: Place): readonly string[] {
  return [visibleText(name), lat.toFixed(5), lon.toFixed(5), radius === 0 ? '-' : `${Math.round(radius)} m`];
}

function placeIn(text: string): Place {
  const [, lat, lon, radius, name = ''] = /^(-?[\d.]+),(-?[\d.]+),([\d.]+) +(.+)$/.exec(text) ?? [];
  const place = { name: name.trim(), lat: Number(lat), lon: Number(lon), radius: Number(radius) };
  if (place.name !== '' && Math.abs(place.lat) <= 90 && Math.abs(place.lon) <= 180 && place.radius >= 0) return place;
  throw new OperatorError(`Error: Cannot read --place "${text}": write 'LAT,LON,RADIUS NAME', such as '52.5166,13.3777,100 Home'.`, {
    exitCode: 2,
  });
}

function read<T>(file: string, reader: (path: string, maxBytes: number) => T, maxBytes: number): T {
  try {
    return reader(file, maxBytes);
  } catch (error) {
    throw new OperatorError(`Cannot read "${file}": ${reasonOf(error)}`, { cause: error });
  }
}

// `midge phone`: sets phones up by a link that the phone itself opens, and shows how far they are.

import { OperatorError } from '../base/errors.ts';
import { visibleJson, visibleText } from '../logging/line.ts';
import type { PhoneState } from '../operations/phones.ts';
import { qrText } from '../phones/qr-code.ts';
import type { Invocation, Terminal } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';
import { askWithRules } from './begin-rules.ts';
import { askBroker, tell } from './control-client.ts';
import { forget, listLocations } from './phone-locations.ts';
import { changeCard, placesOf } from './phone-own.ts';

/** How often the broker is asked how far a phone is. */
const PULSE_MS = 1000;

/** Characters of the fingerprint that people compare. */
const COMPARED = 23;

const STEPS = {
  certificate: 'has loaded the certificate',
  tls: 'has come by TLS',
  signedIn: 'has signed in',
  location: 'has sent its first location',
} as const;

/** Added is the output of "add phone". */
interface Added {
  readonly account: string;
  readonly link: string;
  readonly ends: string;
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string | null;
  readonly rulesBegun: string | null;
}

/** run does what its first operand says. */
export async function run(invocation: Invocation): Promise<number> {
  const [action = '', person, device] = invocation.operands;
  if (action === 'list' && person === undefined) return listPhones(invocation);
  if (action === 'add' && person !== undefined && device === undefined) return addPhone(person, invocation);
  if (action === 'groups' && person !== undefined && device === undefined) return changeGroups(person, invocation);
  if (action === 'remove' && person !== undefined) return removePhone(person, device ?? null, invocation);
  if (action === 'locations') return listLocations(person ?? null, device ?? null, invocation);
  if (action === 'card' && person !== undefined) return changeCard(person, device ?? null, invocation);
  if (action === 'places' && person !== undefined && device !== undefined) return placesOf(person, device, invocation);
  if (action === 'forget' && person !== undefined) return forget(person, device ?? null, invocation);
  const { program } = invocation;
  throw new OperatorError(
    `Error: Use '${program} add PERSON --for owntracks', '${program} list', '${program} groups PERSON --group NAME', '${program} remove PERSON [DEVICE]', '${program} card PERSON [DEVICE] --picture FILE', '${program} places PERSON DEVICE', '${program} locations [PERSON [DEVICE]]' or '${program} forget PERSON [DEVICE]'.`,
    {
      exitCode: 2,
    },
  );
}

async function addPhone(person: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const added = await askWithRules<Added>(invocation, 'add phone', wordsFor(person, invocation));
  if (flags.has('json')) {
    terminal.stdout.write(`${visibleJson(added)}\n`);
    return 0;
  }
  tell(() => sayLink(added, terminal));
  return flags.has('no-wait') ? 0 : follow(added.account, invocation);
}

function wordsFor(person: string, { flags }: Invocation): object {
  const last = (name: string) => flags.get(name)?.at(-1);
  const [use, device, host] = [last('for'), last('device'), last('host')];
  return {
    person,
    ...(use === undefined ? {} : { use }),
    ...(device === undefined ? {} : { device }),
    ...(host === undefined ? {} : { host }),
    ...(flags.has('group') ? { groups: flags.get('group') } : {}),
    topics: (flags.get('topic') ?? []).map(topicIn),
    webSocket: flags.has('websocket'),
    replace: flags.has('replace'),
  };
}

function topicIn(text: string): object {
  const [, access, filter] = /^(read|write|readwrite) +(.+)$/.exec(text) ?? [];
  if (access !== undefined) return { access, filter };
  throw new OperatorError(`Error: Cannot read --topic "${text}": write 'read FILTER', 'write FILTER' or 'readwrite FILTER'.`, {
    exitCode: 2,
  });
}

function sayLink({ account, link, ends, host, port, fingerprint }: Added, { stdout }: Terminal): void {
  const colours = stdout.isTTY === true;
  stdout.write(`Scan this with the camera of the phone, in the Wi-Fi at home:\n\n${qrText(link, { colours })}\n\n${visibleText(link)}\n\n`);
  stdout.write(`The link sets up one phone as ${visibleText(account)}, until ${ends}. Whoever opens it first has the account.\n`);
  stdout.write(`The phone will connect to ${visibleText(host)}, port ${port}.\n`);
  if (fingerprint !== null && link.startsWith('https:'))
    stdout.write(
      'The browser of the phone will warn that the connection is not private, because it does not know the certificate of this box yet. Go on past the warning (Advanced, or Show Details): the page then leads to the certificate.\n',
    );
  if (fingerprint !== null)
    stdout.write(
      `The certificate that it loads begins with ${fingerprint.slice(0, COMPARED)} (SHA-256): the phone shows it before it trusts it.\n`,
    );
}

/** follow says each step as it comes. The exit status is 1 when the link has ended before the phone was set up. */
async function follow(account: string, invocation: Invocation): Promise<number> {
  const { stdout } = invocation.terminal;
  const said = new Set<string>();
  const say = (text: string) => {
    if (said.has(text)) return;
    said.add(text);
    stdout.write(`${text}\n`);
  };
  stdout.write('\nWaiting for the phone ...\n');
  for (;;) {
    const phones = (await askBroker(invocation, 'phones')) as readonly PhoneState[]; // the row's output
    const phone = phones.find((each) => each.account === account);
    if (phone === undefined) throw new OperatorError(`Phone "${account}" was removed meanwhile`);
    for (const [step, words] of Object.entries(STEPS)) if (phone.steps[step as keyof typeof STEPS] !== null) say(`✓ The phone ${words}.`); // of its own keys
    if (phone.isSetUp) return 0;
    const { problem } = phone;
    if (problem !== null)
      say(`! The phone ${visibleText(problem.reason)}${problem.advice === null ? '' : ` - ${visibleText(problem.advice)}`}.`);
    if (phone.link === null) throw new OperatorError(`The link has ended, and "${account}" is not set up: add the phone again`);
    await new Promise((resolve) => setTimeout(resolve, PULSE_MS));
  }
}

async function listPhones(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation;
  const phones = (await askBroker(invocation, 'phones')) as readonly PhoneState[]; // the row's output
  if (flags.has('json')) terminal.stdout.write(`${visibleJson(phones)}\n`);
  else if (phones.length === 0) terminal.stdout.write('No phone was set up yet.\n');
  else
    tell(() =>
      writeTable(terminal, [
        ['PERSON', 'DEVICE', 'FOR', 'GROUPS', 'STATE'],
        ...phones.map((phone) => [phone.person, phone.device, phone.use, phone.groups.join(',') || '-', stateOf(phone)].map(visibleText)),
      ]),
    );
  return 0;
}

function stateOf({ isSetUp, connected, link, hasAccount, problem, steps }: PhoneState): string {
  if (connected) return 'connected';
  if (problem !== null) return problem.reason;
  if (link !== null && !isSetUp) return link.state === 'waiting' ? 'has not opened its link' : 'is being set up';
  if (!hasAccount) return 'has no account any more';
  return steps.signedIn === null ? 'has not signed in before its link ended' : 'away';
}

async function changeGroups(person: string, invocation: Invocation): Promise<number> {
  const groups = invocation.flags.get('group') ?? [];
  await askBroker(invocation, 'change phone groups', { person, groups });
  const words = groups.length === 0 ? 'with nobody' : `in ${groups.map(visibleText).join(', ')}`;
  invocation.terminal.stdout.write(`${visibleText(person)} shares locations ${words}.\n`);
  return 0;
}

async function removePhone(person: string, device: string | null, invocation: Invocation): Promise<number> {
  const { removed, messages, locations } = (await askBroker(invocation, 'remove phone', { person, device })) as {
    // the row's output
    readonly removed: readonly string[];
    readonly messages: number;
    readonly locations: number;
  };
  const { stdout } = invocation.terminal;
  for (const account of removed)
    stdout.write(`Removed ${visibleText(account)}: it is disconnected, its account and its rules have gone.\n`);
  const kept = `${messages} retained message${messages === 1 ? '' : 's'}`;
  if (messages > 0) stdout.write(`Deleted what was kept of it: ${kept}, its last location among them.\n`);
  if (locations > 0) stdout.write(`Deleted its history: ${locations} location${locations === 1 ? '' : 's'}.\n`);
  return 0;
}

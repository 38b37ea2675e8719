// Commands about brokers that run: ours, and others on the network: their rows of the table.

import type { Command } from '../../terminal/command.ts';
import { CONTROL_FLAGS } from '../control-flags.ts';

/** RUNNING_COMMANDS are about brokers that run: ours, and others on the network. */
export const RUNNING_COMMANDS: readonly Command[] = [
  {
    name: 'status',
    summary: 'Show how the running broker and its machine are doing',
    usage: ['[--json] [--broker] [--state DIR | -c FILE]'],
    description: [
      'The exit status is 1 when something needs attention: the store, the clock, the power supply, a certificate that has expired, a reload that has failed. With --broker only the store and a reload count.',
      'The numbers of clients and messages do not include the $SYS tree and the messages by which the broker tests itself for a watchdog.',
    ],
    flags: [
      ...CONTROL_FLAGS,
      { long: 'json', summary: 'print JSON' },
      {
        long: 'broker',
        summary: 'the exit status is about the broker and its database only, not about the machine, the network and updates',
      },
    ],
    examples: [{ text: 'Show the broker that runs as a service', command: 'sudo midge status' }],
    load: () => import('../status.ts'),
  },
  {
    name: 'why',
    summary: 'Show which clients the running broker refused, and why',
    usage: ['[--json] [--state DIR | -c FILE] [ADDRESS | CLIENT | USER]'],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [
      { text: 'List all recent refusals', command: 'sudo midge why' },
      { text: 'Find out why a phone does not connect', command: 'sudo midge why 192.168.1.23' },
    ],
    operands: { most: 1 },
    load: () => import('../why.ts'),
  },
  {
    name: 'internet',
    summary: 'Check whether the Internet leads to this box',
    usage: ['[--json] [--state DIR | -c FILE] [NAME ...]'],
    description: [
      'midge asks the router for its address, looks the names up and connects to itself by them. It changes nothing. The exit status is 1 if something is in the way.',
      'Without NAME it takes those of acme_names, dynamic_dns_names and certificate_names.',
    ],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [{ text: 'Find out why phones do not get in from outside', command: 'sudo midge internet home.example.org' }],
    operands: { most: 10 },
    load: () => import('../internet.ts'),
  },
  {
    name: 'token',
    summary: 'Make, list and remove tokens of programs for the REST interface',
    usage: [
      'add NAME [--right RIGHT] [--days N] [--state DIR | -c FILE]',
      'list [--json] [--state DIR | -c FILE]',
      'remove NAME [--state DIR | -c FILE]',
    ],
    description: [
      'midge prints a new token once, and keeps only a hash of it. A removed token ends at once.',
      'A token that is made here belongs to the machine. One that an account has made over REST may do no more than the account, and ends with it.',
    ],
    flags: [
      ...CONTROL_FLAGS,
      {
        long: 'right',
        value: 'RIGHT',
        summary: 'monitoring [default], viewer, operator or admin; each has those before it',
        choices: ['monitoring', 'viewer', 'operator', 'admin'],
      },
      { long: 'days', value: 'N', summary: 'days until it ends; without it, it does not end' },
      { long: 'json', summary: 'print JSON' },
    ],
    examples: [
      { text: 'Let Prometheus read the metrics', command: 'sudo midge token add prometheus > /etc/prometheus/midge-token' },
      { text: 'End it', command: 'sudo midge token remove prometheus' },
    ],
    operands: { most: 2 },
    load: () => import('../token.ts'),
  },
  {
    name: 'signal',
    mosquittoName: 'mosquitto_signal',
    summary: 'Send a signal to running brokers (like mosquitto_signal)',
    usage: ['{-a | -p PID} {config-reload | log-rotate | shutdown | tree-print}'],
    description: [
      'config-reload has the broker read its files again, log-rotate open its log files again, shutdown end. tree-print has midge log how many connections are open, and mosquitto print its subscriptions.',
    ],
    flags: [
      { short: 'a', summary: 'to every running midge and mosquitto' },
      { short: 'p', value: 'PID', summary: 'to the process of this number' },
    ],
    examples: [{ text: 'Read the configuration again', command: 'sudo midge signal -a config-reload' }],
    operands: { most: 1, choices: ['config-reload', 'log-rotate', 'shutdown', 'tree-print'] },
    load: () => import('../signal.ts'),
  },
  {
    name: 'phone',
    summary: 'Set up phones by links, list and remove them, show where they are',
    usage: [
      'add PERSON [--for owntracks | owntracks-http | mqtt] [--device NAME] [--group NAME] [--topic RULE] [--no-wait | --json]',
      'list [--json] [--state DIR | -c FILE]',
      'groups PERSON [--group NAME] [--state DIR | -c FILE]',
      'remove PERSON [DEVICE] [--state DIR | -c FILE]',
      'card PERSON [DEVICE] [--name NAME] [--picture FILE] [--state DIR | -c FILE]',
      "places PERSON DEVICE [--place 'LAT,LON,RADIUS NAME'] [--import FILE] [--otrw] [--state DIR | -c FILE]",
      'locations [PERSON [DEVICE]] [--from TIME] [--to TIME] [--json] [--state DIR | -c FILE]',
      'forget PERSON [DEVICE] [--from TIME] [--to TIME] [--yes] [--state DIR | -c FILE]',
    ],
    description: [
      'add prints a link as a QR code and follows the phone until it is set up. The link works for ten minutes and for one phone. It leads the phone through the certificate and the settings of its app, and midge makes the account and its rules. Where the configuration has no acl_file, midge starts one in which all present accounts keep all rights.',
      'People who share a group see where the others are. Without a group nobody sees the person. groups puts a person into other groups, or without --group into none.',
      'remove ends the account of one phone, or those of all phones of a person, and deletes the messages and locations that were kept of it.',
      "card chooses the name and the picture by which others see the phones on their map; an empty word takes one away. places shows the places that a phone has names for, or sends places to it. With --otrw it prints a file for OwnTracks instead: Android takes places by MQTT only where the app's remote configuration is on.",
      'locations shows where the phones are, or where those of a person were. forget deletes what is kept of a person or a phone, all or of a time, after it has shown how much that is.',
    ],
    flags: [
      ...CONTROL_FLAGS,
      {
        long: 'for',
        value: 'APP',
        summary: 'add: owntracks [default], owntracks-http for its HTTP mode, or mqtt for any other app',
        choices: ['owntracks', 'owntracks-http', 'mqtt'],
      },
      { long: 'device', value: 'NAME', summary: 'add: tells the phones of a person apart [phone]' },
      { long: 'group', value: 'NAME', summary: 'add, groups: a group in which the person shares locations', repeatable: true },
      { long: 'topic', value: 'RULE', summary: "add: what the app may do besides, such as 'read home/#'", repeatable: true },
      { long: 'host', value: 'HOST', summary: 'add: name or address that the phone connects to' },
      { long: 'websocket', summary: 'add: the phone speaks MQTT over WebSocket' },
      { long: 'replace', summary: 'add: also where this phone is set up already; it gets another password' },
      { long: 'no-wait', summary: 'add: do not wait for the phone' },
      { long: 'name', value: 'NAME', summary: 'card: the name' },
      { long: 'picture', value: 'FILE', summary: 'card: a picture, PNG or JPEG of 48 KiB at most; 192 by 192 pixels are enough' },
      {
        long: 'place',
        value: 'PLACE',
        summary: "places: a place, such as '52.5166,13.3777,100 Home'; the radius is in metres",
        repeatable: true,
      },
      { long: 'import', value: 'FILE', summary: 'places: those of an .otrw file of OwnTracks' },
      { long: 'otrw', summary: 'places: print them as an .otrw file, and send nothing' },
      { long: 'from', value: 'TIME', summary: 'locations, forget: from this day or time on [locations: a day ago]' },
      { long: 'to', value: 'TIME', summary: 'locations, forget: to this day or time' },
      { long: 'yes', summary: 'forget: do not ask' },
      { long: 'json', summary: 'add, list, locations: print JSON' },
    ],
    examples: [
      {
        text: "Set up Jane's phone with OwnTracks, and let the family see each other",
        command: 'sudo midge phone add jane --group family',
      },
      {
        text: 'Set up another app, which may read what is below home/',
        command: "sudo midge phone add tom --for mqtt --topic 'read home/#'",
      },
      { text: 'Shut out a lost phone', command: 'sudo midge phone remove jane phone' },
      { text: "Give Jane's phones a picture", command: 'sudo midge phone card jane --picture jane.png' },
      { text: 'See where the phones are', command: 'sudo midge phone locations' },
      { text: 'Delete the history of a person', command: 'sudo midge phone forget jane' },
    ],
    operands: { most: 3, choices: ['add', 'list', 'groups', 'card', 'places', 'remove', 'locations', 'forget'] },
    load: () => import('../phone.ts'),
  },
  {
    name: 'bridge',
    summary: 'Try a bridge, invite another box, accept an invitation',
    usage: [
      'test [NAME] [--publish] [-c FILE] [--json]',
      "invite NAME --topics 'TOPIC [out | in | both] [QOS]' [--address HOST[:PORT]] [--out FILE] [-c FILE]",
      'accept FILE [--yes] [-c FILE]',
    ],
    description: [
      'test tries each address of a connection block once and says what happens: name, connection, TLS, MQTT, subscriptions. It uses another client id, so the running bridge goes on, and publishes nothing without --publish. The exit status is 1 when something fails.',
      'invite has the running broker make an account with rules for these topics only, and prints a connection block for the other box: with its password, and with the certificate of the authority to trust. Directions are those of this box: out goes to the other one. Where there is no acl_file, midge starts one in which all present accounts keep all rights.',
      'accept shows what an invitation is going to carry, asks, adds it to the configuration and has the running broker connect. With - it reads standard input.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration [/etc/midge/midge.conf]', complete: 'file' },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
      { long: 'topics', value: 'TOPIC', summary: 'invite: what to carry, as in a topic line', repeatable: true },
      { long: 'address', value: 'HOST', summary: 'invite: where the other box finds this one, or what forwards to it' },
      { long: 'out', value: 'FILE', summary: 'invite: write the invitation there, readable by you only', complete: 'file' },
      { long: 'yes', summary: 'accept: do not ask' },
      { long: 'publish', summary: 'test: publish an empty message to one topic of each pattern that goes out, named midge-bridge-test' },
      { long: 'json', summary: 'test: print JSON' },
    ],
    examples: [
      { text: 'Find out why a bridge does not connect', command: 'sudo midge bridge test cloud' },
      {
        text: "Invite a friend's box to share the topics below family/",
        command: "sudo midge bridge invite anna --topics 'family/# both 1' --out anna.conf",
      },
      { text: 'Accept it there', command: 'sudo midge bridge accept anna.conf' },
    ],
    operands: { most: 2, choices: ['test', 'invite', 'accept'], complete: 'file' },
    load: () => import('../bridge.ts'),
  },
  {
    name: 'cluster',
    summary: 'Show the brokers of a cluster, forget one that never comes back',
    usage: ['[status] [--json] [--state DIR | -c FILE]', 'peers [--json] [--state DIR | -c FILE]', 'forget ID [--state DIR | -c FILE]'],
    description: [
      'status shows how this broker reaches NATS, each other broker, what waits for it, and the sums of all. The exit status is 1 when something needs attention.',
      'peers prints the other brokers, a line each: id, state, version, latency, messages sent, queued and dropped.',
      'forget ends what waits for a broker that never comes back, here and at all brokers that are connected. Without it they forget the broker after seven days. A broker that is connected is not forgotten.',
    ],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'status, peers: print JSON' }],
    examples: [
      { text: 'See how the brokers are', command: 'sudo midge cluster' },
      { text: 'Forget a broken box', command: 'sudo midge cluster forget box-2' },
    ],
    operands: { most: 2, choices: ['status', 'peers', 'forget'] },
    load: () => import('../cluster.ts'),
  },
  {
    name: 'discover',
    summary: 'Find the brokers on the network (mDNS)',
    usage: ['[--timeout SECONDS] [--json]'],
    flags: [
      { short: 't', long: 'timeout', value: 'SECONDS', summary: 'how long to listen [3]' },
      { long: 'json', summary: 'print the brokers as JSON' },
    ],
    examples: [{ text: 'List the brokers', command: 'midge discover' }],
    load: () => import('../discover.ts'),
  },
];

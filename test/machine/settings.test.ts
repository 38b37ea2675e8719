// The installed service changes its own configuration and accounts over REST, in the sandbox of its unit, and restores a backup there.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Debian, obstacle, startDebian } from './debian.ts';
import { succeed, writePrograms } from './installation.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const skip = obstacle(EXECUTABLE);
const FILE = '/etc/midge/midge.conf';

/** Milliseconds, for what takes minutes on a busy machine. */
const timeout = 600_000;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what the table of operations says
  readonly body: any;
}

/** Box is an installed service, and an admin's program that uses its REST interface. */
class Box {
  readonly debian: Debian;
  readonly program: string;
  readonly #token: string;

  private constructor(debian: Debian, program: string, token: string) {
    this.debian = debian;
    this.program = program;
    this.#token = token;
  }

  static async install(context: TestContext): Promise<Box> {
    const debian = await startDebian(context, 'trixie');
    const { first, better } = writePrograms(debian.root, EXECUTABLE);
    await succeed(debian.run('sh', '-c', `echo secret | ${first} install --user jane --password-file -`));
    const { stdout } = await succeed(debian.run('midge', 'token', 'add', 'test', '--right', 'admin'));
    return new Box(debian, better, stdout.trim());
  }

  async ask(method: string, path: string, body?: object | { readonly file: string }): Promise<Answer> {
    const sent =
      body === undefined
        ? []
        : 'file' in body
          ? ['-H', 'Content-Type: application/gzip', '--data-binary', `@${body.file}`]
          : ['--json', JSON.stringify(body)];
    const address = `https://localhost/api/v1${path}`;
    const trust = ['--cacert', join(this.debian.root, 'var/lib/midge/certificates/ca.crt'), '-H', `Authorization: Bearer ${this.#token}`];
    const { stdout } = await this.debian.inNetwork('curl', '-s', '-w', '\n%{http_code}', '-X', method, ...trust, ...sent, address);
    const at = stdout.lastIndexOf('\n');
    const text = stdout.slice(0, at);
    return { status: Number(stdout.slice(at + 1)), body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
  }

  /** change puts a line into the text of the configuration, and gives what confirms that. */
  async change(line: string): Promise<string> {
    const { text, revision } = (await this.ask('GET', '/configuration')).body;
    const put = await this.ask('PUT', '/configuration', { text: `${line}\n${text}`, revision });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    return put.body.confirm;
  }

  async sh(command: string): Promise<string> {
    return (await succeed(this.debian.run('sh', '-c', command))).stdout;
  }

  has(line: string): Promise<boolean> {
    return this.debian.run('grep', '-qx', line, FILE).then(({ status }) => status === 0);
  }

  async answers(): Promise<boolean> {
    return (await this.ask('GET', '/configuration')).status === 200;
  }
}

test('the installed service changes configuration and accounts over REST, and takes back what nobody confirms', {
  skip,
  timeout,
}, async (context) => {
  const box = await Box.install(context);
  const owners = () => box.sh(`stat -c '%a %U %G %n' /etc/midge /etc/midge/conf.d ${FILE}`);
  const before = await owners();
  assert.equal(before, `755 midge midge /etc/midge\n755 midge midge /etc/midge/conf.d\n644 midge midge ${FILE}\n`);
  const confirm = await box.change('max_keepalive 1000');
  assert.equal((await box.ask('POST', '/configuration/confirmation', { confirm })).status, 200);
  assert.ok(await box.has('max_keepalive 1000'));

  await box.change('max_keepalive 1001');
  assert.ok(await box.has('max_keepalive 1001'));
  await until(async () => !(await box.has('max_keepalive 1001')));
  await box.change('max_keepalive 1002');
  await succeed(box.debian.run('systemctl', 'restart', 'midge'));
  assert.ok(!(await box.has('max_keepalive 1002')), 'a restart takes it back as well');
  assert.ok(await box.has('max_keepalive 1000'), 'what was confirmed stays');
  assert.equal(await owners(), before);

  await box.sh(
    `sed -i 's/max_keepalive 1000/max_keepalive 1003/' ${FILE} && umask 022 && echo 'max_packet_size 2000000' >/etc/midge/conf.d/mine.conf`,
  );
  assert.equal(await owners(), before, 'root changes it as before');
  await succeed(box.debian.run('midge', 'config', 'set', 'max_packet_size', '3000000'));
  assert.equal(
    await box.sh("stat -c '%U' /etc/midge/conf.d/mine.conf && cat /etc/midge/conf.d/mine.conf"),
    'midge\nmax_packet_size 3000000\n',
  );

  const added = await box.ask('POST', '/users', { username: 'tom', password: 'a long secret' });
  assert.ok(added.status < 300, JSON.stringify(added.body));
  await succeed(box.debian.run('midge', 'pub', '-h', '127.0.0.1', '-u', 'tom', '-P', 'a long secret', '-t', 'a', '-m', 'b', '-q', '1'));
  assert.equal(await box.sh("stat -c '%a %U' /var/lib/midge/passwd"), '600 midge\n');
});

test('the installed service restores a backup over REST, its configuration too', { skip, timeout }, async (context) => {
  const box = await Box.install(context);
  const confirm = await box.change('max_keepalive 1000');
  await box.ask('POST', '/configuration/confirmation', { confirm });
  await succeed(box.debian.run('midge', 'pub', '-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a', '-m', 'then', '-q', '1', '-r'));
  await succeed(box.debian.run('midge', 'backup', '/root/backup.tar.gz'));
  await succeed(box.debian.run('midge', 'pub', '-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a', '-m', 'now', '-q', '1', '-r'));
  const later = await box.change('max_queued_messages 500');
  await box.ask('POST', '/configuration/confirmation', { confirm: later });

  const prepared = await box.ask('POST', '/restores?withConfiguration=true', { file: join(box.debian.root, 'root/backup.tar.gz') });
  assert.equal(prepared.status, 200, JSON.stringify(prepared.body));
  assert.ok(prepared.body.writes.includes(FILE), JSON.stringify(prepared.body));
  const restored = await box.ask('POST', `/restores/${prepared.body.id}/confirmation`, {});
  assert.deepEqual([restored.status, restored.body], [200, { restarts: true }]);
  await until(async () => !(await box.has('max_queued_messages 500')) && (await box.answers()));
  assert.ok(await box.has('max_keepalive 1000'));
  assert.equal(await box.sh(`stat -c '%a %U' ${FILE} /var/lib/midge/passwd`), '644 midge\n600 midge\n');
  const kept = await succeed(
    box.debian.run('midge', 'sub', '-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a', '-C', '1', '-W', '60'),
  );
  assert.equal(kept.stdout, 'then\n');
  assert.match(await box.sh('journalctl -u midge -b -o cat --no-pager'), /Restored a backup of /);
});

test('an upgrade lets a service of an earlier version change its configuration', { skip, timeout }, async (context) => {
  const box = await Box.install(context);
  await box.sh(
    "chown -R root:root /etc/midge && mkdir /etc/midge/release-keys && sed -i '/^ReadWritePaths=/d' /etc/systemd/system/midge.service && systemctl daemon-reload && systemctl restart midge",
  );
  const { text, revision } = (await box.ask('GET', '/configuration')).body;
  const refused = await box.ask('PUT', '/configuration', { text: `max_keepalive 1000\n${text}`, revision });
  assert.equal(refused.status, 409, JSON.stringify(refused.body));
  assert.match(JSON.stringify(refused.body), /Cannot write .*midge\.conf.*nothing was changed/);
  await succeed(box.debian.run(box.program, 'install'));
  await box.ask('POST', '/configuration/confirmation', { confirm: await box.change('max_keepalive 1000') });
  assert.ok(await box.has('max_keepalive 1000'));
  assert.equal(
    await box.sh("stat -c '%U %n' /etc/midge/* /etc/midge-release-keys"),
    'midge /etc/midge/conf.d\nmidge /etc/midge/midge.conf\nroot /etc/midge-release-keys\n',
  );
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(500);
}

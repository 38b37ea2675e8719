// A box whose REST interface nobody has claimed: without an account nobody gets in by MQTT, and accounts that were there before go on to work.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setUser } from '../../src/access/password-file-edit.ts';
import { hashPassword } from '../../src/access/password-hash.ts';
import { Roles } from '../../src/api/roles.ts';
import { openApi, PASSWORD, TABLE } from '../api/open-api.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openAppliance } from './test-appliance.ts';
import { configurationOf } from './test-configuration.ts';

test('box without an account lets nobody in by MQTT, and one whose accounts were there before its REST interface does', async (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'passwd');
  writeFileSync(file, '');
  const text = `listener 1883 127.0.0.1\nlistener 8443 127.0.0.1\nprotocol http\npassword_file ${file}\nadvertise false\n`;
  const configuration = configurationOf(folder, text);
  const { appliance } = await openAppliance(context, folder, { configuration });
  const port = appliance.listeners[0]?.port ?? 0;
  const login = { port, username: 'jane', password: PASSWORD };
  await assert.rejects(mqttClient(context, { ...login, reconnectPeriod: 0 }));
  await assert.rejects(mqttClient(context, { port, reconnectPeriod: 0 }));
  writeFileSync(file, setUser('', 'jane', await hashPassword(PASSWORD)));
  await appliance.reload(configuration);
  const client = await mqttClient(context, login);
  await client.publishAsync('a', 'b', { qos: 1 });
});

test('REST interface that nobody has claimed answers the claim and nothing else', async (context) => {
  const api = await openApi(context, { table: TABLE, roles: new Roles(null) });
  const login = { username: 'jane', password: PASSWORD };
  assert.equal((await api.ask('/api/v1/session', { method: 'POST', body: login })).status, 403);
  for (const path of ['/api/v1/status', '/api/v1/why', '/metrics']) assert.equal((await api.ask(path)).status, 401, path);
});

// The names that a bridge gets when its block leaves them out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameBridge } from '../../src/bridges/options.ts';
import { bridgeOptions } from './scene.ts';

const NONE = { remoteClientId: null, localClientId: null, notificationTopic: null };
const settings = { ...bridgeOptions(1, ['#']), name: 'cloud' };

test('bridge has a client id of its machine and name when its block has none', () => {
  const one = nameBridge({ ...settings, ...NONE }, { hostName: 'pi', unique: '10000000abcdef01' });
  assert.match(one.remoteClientId, /^pi-[0-9a-f]{8}\.cloud$/);
  assert.equal(one.localClientId, `local.${one.remoteClientId}`);
  assert.equal(one.notificationTopic, `$SYS/broker/connection/${one.remoteClientId}/state`);
});

test('bridge has the same client id at each start, and another on a machine with a copied card', () => {
  const idOn = (unique: string) => nameBridge({ ...settings, ...NONE }, { hostName: 'pi', unique }).remoteClientId;
  assert.equal(idOn('a'), idOn('a'));
  assert.notEqual(idOn('a'), idOn('b'));
});

test('bridge has the names that its block gives', () => {
  const one = nameBridge({ ...settings, ...NONE, remoteClientId: 'me' }, { hostName: 'pi', unique: 'a' });
  assert.equal(one.localClientId, 'local.me');
  assert.deepEqual(nameBridge(settings, { hostName: 'pi', unique: 'a' }), settings);
});

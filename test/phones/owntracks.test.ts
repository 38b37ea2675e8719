// What a phone is handed: OwnTracks' configuration as each system reads it, names, topics and rules.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mqttSettings } from '../../src/phones/mqtt-settings.ts';
import { otrcText, ownTracksConfiguration, ownTracksLink, trackerIdOf } from '../../src/phones/owntracks.ts';
import { accountOf, type BrokerAddress, clientIdOf, nameFault } from '../../src/phones/phone.ts';
import { friendsOf, ownTracksRules } from '../../src/phones/phone-rules.ts';
import { decodeLink, decodeOtrc } from './app-decoders.ts';

const JANE = { person: 'jane', device: 'phone' };
const BROKER = { host: 'pi.local', port: 8883, protocol: 'mqtt' } as const;
const SIGN_IN = { broker: BROKER, password: 'abcde-fghjk-mnpqr-stuvw', certificate: null };
const SYSTEMS = ['ios', 'android'] as const;

for (const system of SYSTEMS) {
  test(`configuration for ${system} has what its app needs, and nothing that it does not know, when it is decoded by its rules`, () => {
    const configuration = ownTracksConfiguration(JANE, SIGN_IN, system);
    const decoded = decodeLink(ownTracksLink(configuration), system);
    assert.deepEqual(decoded, configuration);
    assert.deepEqual(decodeOtrc(otrcText(configuration), system), configuration);
    const { host, port, tls, ws, username, password, pubTopicBase, cleanSession, mqttProtocolLevel } = decoded;
    assert.deepEqual(
      { host, port, tls, ws, username, password, pubTopicBase, cleanSession, mqttProtocolLevel },
      {
        host: 'pi.local',
        port: 8883,
        tls: true,
        ws: false,
        username: 'jane/phone',
        password: SIGN_IN.password,
        pubTopicBase: 'owntracks/jane/phone',
        cleanSession: false,
        mqttProtocolLevel: 4,
      },
    );
    assert.equal(decoded['subTopic'], 'owntracks/+/+ owntracks/+/+/event owntracks/+/+/info owntracks/jane/phone/cmd');
    assert.equal(decoded['allowinvalidcerts'], system === 'ios' ? false : undefined);
  });

  test(`configuration for ${system} in HTTP mode posts to the page's listener, and keeps what is of MQTT as it was`, () => {
    const decode = (broker: BrokerAddress) =>
      decodeLink(ownTracksLink(ownTracksConfiguration(JANE, { ...SIGN_IN, broker }, system)), system);
    const decoded = decode({ host: 'pi.local', port: 443, protocol: 'http' });
    const { mode, url, auth, username, password, deviceId, tid } = decoded;
    assert.deepEqual(
      { mode, url, auth, username, password, deviceId, tid },
      {
        mode: 3,
        url: 'https://pi.local/pub',
        auth: true,
        username: 'jane/phone',
        password: SIGN_IN.password,
        deviceId: 'phone',
        tid: 'JA',
      },
    );
    for (const name of ['host', 'port', 'pubTopicBase', 'clientId']) assert.ok(!(name in decoded), name);
    assert.equal(decode({ host: '2001:db8::7', port: 8443, protocol: 'http' })['url'], 'https://[2001:db8::7]:8443/pub');
  });

  test(`link for ${system} gives back any name and password when it is decoded by its rules`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (person, password) => {
        const phone = { person: person.toWellFormed(), device: 'phone' };
        const configuration = ownTracksConfiguration(phone, { ...SIGN_IN, password: password.toWellFormed() }, system);
        assert.deepEqual(decodeLink(ownTracksLink(configuration), system), configuration);
      }),
    );
  });
}

test('link has no character that a form would read as another one when its base64 has + and /', () => {
  const link = ownTracksLink(ownTracksConfiguration(JANE, { ...SIGN_IN, password: '~~~???>>>ÿÿÿ' }, 'android'));
  const [, query = ''] = link.split('inline=');
  assert.match(query, /%2[BF]/);
  assert.match(query, /^[A-Za-z0-9%]+$/);
});

test('phone has an account, a client id and a topic of its own', () => {
  const phones = [JANE, { person: 'jane', device: 'tablet' }, { person: 'jane.phone', device: 'x' }, { person: 'jörg', device: 'phone' }];
  const ids = phones.map(clientIdOf);
  assert.equal(new Set(ids).size, phones.length);
  for (const id of ids) assert.match(id, /^[a-z0-9]{9,23}$/);
  assert.equal(accountOf(JANE), 'jane/phone');
  assert.equal(trackerIdOf(JANE), 'JA');
  assert.equal(trackerIdOf({ person: 'j', device: 'phone' }), 'JP');
});

for (const [person, device, field] of [
  ['jane', 'phone', undefined],
  ['jörg-müller_2', 'iPhone.13', undefined],
  ['', 'phone', 'person'],
  ['a/b', 'phone', 'person'],
  ['+', 'phone', 'person'],
  ['#', 'phone', 'person'],
  ['$SYS', 'phone', 'person'],
  ['a:b', 'phone', 'person'],
  ['a b', 'phone', 'person'],
  ['a\nuser root', 'phone', 'person'],
  ['x'.repeat(65), 'phone', 'person'],
  ['jane', '', 'device'],
  ['jane', '+', 'device'],
  ['jane', 'my phone', 'device'],
] as const) {
  test(`name ${JSON.stringify(person)} with device ${JSON.stringify(device)} is ${field === undefined ? 'taken' : 'refused'}`, () => {
    assert.equal(nameFault({ person, device })?.field, field);
  });
}

test('rules let a phone write below its own topic only, and read what friends share', () => {
  assert.deepEqual(
    ownTracksRules(JANE, ['john']).map(({ access, filter }) => `${access} ${filter}`),
    [
      'readwrite owntracks/jane/phone/#',
      'read owntracks/jane/+',
      'read owntracks/jane/+/event',
      'read owntracks/jane/+/info',
      'read owntracks/john/+',
      'read owntracks/john/+/event',
      'read owntracks/john/+/info',
    ],
  );
});

test('friends are those who share a group, and nobody when there is none', () => {
  const members = [
    { person: 'jane', groups: ['family'] },
    { person: 'john', groups: ['family', 'club'] },
    { person: 'anna', groups: ['club'] },
    { person: 'eve', groups: [] },
  ];
  assert.deepEqual(friendsOf('jane', members), ['john']);
  assert.deepEqual(friendsOf('john', members), ['anna', 'jane']);
  assert.deepEqual(friendsOf('eve', members), []);
});

test('settings for other apps name WebSocket by its path', () => {
  assert.equal(mqttSettings(JANE, SIGN_IN).webSocketPath, null);
  assert.equal(mqttSettings(JANE, { ...SIGN_IN, broker: { ...BROKER, protocol: 'websockets' } }).webSocketPath, '/mqtt');
});

// The words by which people who are no experts look for a setting, in each language of the page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownSettings } from '../../src/config/known-settings.ts';
import { findSettings, type Worded } from '../../src/web/settings/setting-form.ts';

/** More than these nobody reads through. */
const MOST_FOUND = 8;

const LOCALES = join(import.meta.dirname, '../../src/web/locales');

type Words = Readonly<Record<string, string>>;

/** Wishes, and settings that must be among those found. */
type Wishes = Readonly<Record<string, readonly string[]>>;

const WISHES: Readonly<Record<'en' | 'de' | 'fr', Wishes>> = {
  en: {
    'messages kept': ['max_queued_messages', 'retained_lifetime'],
    away: ['max_queued_messages', 'persistent_client_expiration'],
    waiting: ['max_queued_messages', 'max_queued_bytes'],
    keep: ['max_queued_messages', 'retained_lifetime'],
    offline: ['max_queued_messages', 'queue_qos0_messages'],
    'sleeping device': ['max_queued_messages'],
    'keep messages for offline devices': ['max_queued_messages'],
    'how many messages are kept?': ['max_queued_messages'],
    'how long are messages kept': ['retained_lifetime', 'persistent_client_expiration'],
    'biggest message': ['message_size_limit', 'max_packet_size'],
    'larger messages': ['message_size_limit', 'max_packet_size'],
    'camera images': ['message_size_limit', 'max_packet_size'],
    'name in the network': ['mdns_name'],
    rename: ['mdns_name'],
    'find automatically': ['advertise'],
    'wrong password': ['login_throttle'],
    'brute force': ['login_throttle'],
    'locked out': ['login_throttle', 'login_throttle_exempt'],
    encrypt: ['secure'],
    ssl: ['secure', 'certfile'],
    anonymous: ['allow_anonymous', 'listener_allow_anonymous'],
    'without password': ['allow_anonymous'],
    'log file': ['log_dest'],
    verbose: ['log_type'],
    'who connects': ['connection_messages'],
    backup: ['persistence_file', 'persistence_location'],
    'sd card': ['persistence', 'persistence_location'],
    'survive a reboot': ['persistence'],
    'upgrade at night': ['update_window'],
    'auto update': ['automatic_updates'],
    permissions: ['acl_file'],
    accounts: ['password_file'],
    ram: ['memory_limit'],
    'how many devices': ['max_connections', 'global_max_connections'],
    letsencrypt: ['acme_names'],
    dyndns: ['dynamic_dns_names'],
    'home assistant': ['homeassistant_discovery'],
    gps: ['location_history'],
    'delete old retained': ['retained_lifetime'],
    'forget old devices': ['persistent_client_expiration'],
    websocket: ['protocol'],
    'change port': ['port'],
    heartbeat: ['max_keepalive'],
    statistics: ['sys_interval'],
    failover: ['cluster'],
  },
  de: {
    abwesend: ['max_queued_messages', 'persistent_client_expiration'],
    offline: ['max_queued_messages', 'queue_qos0_messages'],
    Warteschlange: ['max_queued_messages', 'max_queued_bytes'],
    'verpasste Nachrichten': ['max_queued_messages'],
    'Nachrichten aufheben': ['max_queued_messages', 'retained_lifetime'],
    'wie lange werden Nachrichten aufbewahrt': ['retained_lifetime', 'persistent_client_expiration'],
    'größte Nachricht': ['message_size_limit', 'max_packet_size'],
    'grösste Nachricht': ['message_size_limit', 'max_packet_size'],
    'Name im Netzwerk': ['mdns_name'],
    'im WLAN finden': ['advertise'],
    'falsches Passwort': ['login_throttle'],
    ausgesperrt: ['login_throttle', 'login_throttle_exempt'],
    verschlüsseln: ['secure'],
    anonym: ['allow_anonymous'],
    'ohne Passwort': ['allow_anonymous'],
    Logdatei: ['log_dest'],
    Datensicherung: ['persistence_file', 'persistence_location'],
    Stromausfall: ['persistence'],
    'nachts aktualisieren': ['update_window'],
    Zugriffsrechte: ['acl_file'],
    Arbeitsspeicher: ['memory_limit'],
    'wie viele Geräte': ['max_connections', 'global_max_connections'],
    'alte Nachrichten löschen': ['retained_lifetime'],
    'alte Geräte vergessen': ['persistent_client_expiration'],
    Ausfallsicherheit: ['cluster'],
  },
  fr: {
    absent: ['max_queued_messages', 'persistent_client_expiration'],
    'hors ligne': ['max_queued_messages', 'queue_qos0_messages'],
    "file d'attente": ['max_queued_messages', 'max_queued_bytes'],
    'file d’attente': ['max_queued_messages', 'max_queued_bytes'],
    'garder les messages': ['max_queued_messages', 'retained_lifetime'],
    'messages manqués': ['max_queued_messages'],
    'plus gros message': ['message_size_limit', 'max_packet_size'],
    'nom sur le réseau': ['mdns_name'],
    'visible sur le wifi': ['advertise'],
    'mauvais mot de passe': ['login_throttle'],
    chiffrer: ['secure'],
    anonyme: ['allow_anonymous'],
    'sans mot de passe': ['allow_anonymous'],
    'fichier journal': ['log_dest'],
    sauvegarde: ['persistence_file', 'persistence_location'],
    'coupure de courant': ['persistence'],
    'mise a jour la nuit': ['update_window'],
    droits: ['acl_file'],
    mémoire: ['memory_limit'],
    'combien d’appareils': ['max_connections', 'global_max_connections'],
    'supprimer les vieux messages': ['retained_lifetime'],
    'oublier les vieux appareils': ['persistent_client_expiration'],
  },
};

/** What no setting is about. */
const STRANGE: Readonly<Record<'en' | 'de' | 'fr', readonly string[]>> = {
  en: ['two factor', 'dark mode'],
  de: ['Zwei-Faktor', 'dunkler Modus'],
  fr: ['thème sombre'],
};

for (const language of ['en', 'de', 'fr'] as const) {
  const found = (wish: string) => {
    const settings = settingsIn(language);
    const { fits } = findSettings(settings, wish);
    return settings.filter(fits).map(({ name }) => name);
  };

  test(`search words in "${language}" are of known settings, sorted, of the same ones as in English`, () => {
    const names = Object.keys(searchWordsIn(language));
    const known = new Set(knownSettings().map(({ name }) => name));
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
    assert.deepEqual(names, [...names].sort());
    assert.deepEqual(names, Object.keys(searchWordsIn('en')));
  });

  test(`search words in "${language}" repeat nothing that the name or the meaning of the setting says`, () => {
    const repeated = settingsIn(language).flatMap(({ name, meaning, searchWords }) => {
      const text = `${name} ${meaning}`.toLowerCase();
      const words = searchWords.split(' ').filter((word) => word !== '' && text.includes(word.toLowerCase()));
      return words.map((word) => `${name}: ${word}`);
    });
    assert.deepEqual(repeated, []);
  });

  test(`wishes in "${language}" lead to their setting among a few`, () => {
    for (const [wish, wanted] of Object.entries(WISHES[language])) {
      const names = found(wish);
      for (const name of wanted) assert.ok(names.includes(name), `"${wish}" finds ${name}, not only: ${names.join(' ')}`);
      assert.ok(names.length <= MOST_FOUND, `"${wish}" finds a few, not ${names.length}: ${names.join(' ')}`);
    }
  });

  test(`wishes in "${language}" that no setting is about find nothing`, () => {
    for (const wish of STRANGE[language]) assert.deepEqual(found(wish), [], wish);
  });
}

/** settingsIn gives them as the page does to readers of a language. */
function settingsIn(language: 'en' | 'de' | 'fr'): readonly Worded[] {
  const meanings = language === 'en' ? {} : readWords(`settings/${language}.json`);
  const searchWords = searchWordsIn(language);
  return knownSettings().map((each) => ({
    ...each,
    meaning: meanings[each.name] ?? each.meaning,
    searchWords: searchWords[each.name] ?? '',
  }));
}

function searchWordsIn(language: 'en' | 'de' | 'fr'): Words {
  return readWords(`settings-search/${language}.json`);
}

function readWords(file: string): Words {
  return JSON.parse(readFileSync(join(LOCALES, file), 'utf8')) as Words; // an object of strings, as the page imports it
}

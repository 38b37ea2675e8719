// German.

import type { PhoneWords } from './phone-words.ts';

export const GERMAN: PhoneWords = {
  language: 'de',
  title: 'Dieses Telefon einrichten',
  trust: {
    heading: 'Zuerst: dieser Box vertrauen',
    why: 'Das Telefon und die Box zu Hause sprechen verschlüsselt miteinander. Dafür muss das Telefon das Zertifikat der Box kennen.',
    iosLoad: 'Tippen Sie auf den Knopf. Wenn Safari fragt, ob es ein Konfigurationsprofil laden darf, tippen Sie auf <b>Zulassen</b>.',
    iosLoadButton: 'Profil laden',
    iosInstall:
      'Öffnen Sie die <b>Einstellungen</b>, tippen Sie oben auf <b>Profil geladen</b> und dann auf <b>Installieren</b>. (Es steht auch unter Allgemein > VPN und Geräteverwaltung.)',
    iosSwitch:
      'Schalten Sie unter <b>Einstellungen > Allgemein > Info > Zertifikatsvertrauenseinstellungen</b>, ganz unten auf der Seite, <b>{authority}</b> ein. Ohne diesen Schritt wirkt das Profil nicht.',
    iosPicture: 'Der Schalter neben dem Namen des Zertifikats ist eingeschaltet.',
    iosPictureTitle: 'Zertifikatsvertrauenseinstellungen',
    iosPictureSection: 'Volles Vertrauen für Root-Zertifikate',
    androidLoad: 'Tippen Sie auf den Knopf. Das Telefon speichert die Datei <b>midge.crt</b>.',
    androidLoadButton: 'Zertifikat laden',
    androidInstall:
      'Öffnen Sie die <b>Einstellungen</b> und suchen Sie nach <b>CA-Zertifikat</b>. (Es steht unter Sicherheit > Weitere Sicherheitseinstellungen > Zertifikat installieren.) Tippen Sie auf <b>Trotzdem installieren</b> und wählen Sie midge.crt.',
    androidNotice:
      'Android fragt vielleicht nach der PIN des Telefons. Danach meldet es, dass das Netzwerk überwacht werden könnte: Das meldet es bei jedem Zertifikat, das Sie selbst installieren.',
    androidApps: 'OwnTracks und Chrome vertrauen dem Zertifikat dann. Firefox nicht: Öffnen Sie diese Seite in Chrome.',
    back: 'Kommen Sie auf diese Seite zurück. Sie geht von selbst weiter.',
    pastWarning:
      'Hat der Browser gewarnt, kennt das Telefon das Zertifikat dieser Box noch nicht. Die Warnung zu übergehen öffnet nur diese Seite: Die App verbindet sich trotzdem nicht. Haben Sie das Zertifikat auf diesem Telefon schon installiert, machen Sie unten weiter.',
    thenOn: 'Kommen Sie auf diese Seite zurück, und machen Sie unten weiter.',
    setUpNext: 'Dann: das Telefon einrichten',
    waiting: 'Warten, bis das Telefon dem Zertifikat vertraut ...',
    trusted: 'Das Telefon vertraut dem Zertifikat.',
    notYet: 'Noch nicht. Wenn Sie alles getan haben, sehen Sie nach Datum und Uhrzeit des Telefons.',
    otherSystem: { ios: 'Das ist ein iPhone oder iPad', android: 'Das ist ein Android-Telefon' },
    profileName: 'midge',
    profileDescription: 'Damit vertraut dieses Gerät dem MQTT-Broker zu Hause.',
  },
  setUp: {
    headingOwnTracks: 'OwnTracks für {person}',
    headingMqtt: 'MQTT für {person}',
    onePhone: 'Dieser Link richtet ein Telefon ein. Machen Sie mit dem Telefon weiter, das Sie einrichten wollen.',
    getSettings: 'Dieses Telefon einrichten',
    getAgain: 'Neue Einstellungen machen',
    lost: 'Dieses Telefon hat den Link geöffnet, aber seine Einstellungen stehen nicht mehr auf dieser Seite. Neue Einstellungen haben ein neues Passwort.',
    install: 'Installieren Sie <b>OwnTracks</b>.',
    allow:
      'Öffnen Sie in OwnTracks <b>Settings > Remote Control</b> und schalten Sie <b>Allow external configuration</b> ein. (Versionen von vor Mai 2026 haben diesen Schalter nicht: weiter.)',
    open: 'Tippen Sie auf den Knopf und bestätigen Sie in OwnTracks.',
    openButton: 'In OwnTracks öffnen',
    disallow: 'Schalten Sie <b>Allow external configuration</b> wieder aus.',
    otherWay: 'Wenn der Knopf nichts tut',
    saveFile: 'Die Einstellungen als Datei speichern und mit OwnTracks öffnen',
    type: 'Oder die Einstellungen in OwnTracks eintippen:',
    once: 'Das Passwort wird nur jetzt gezeigt. Die App merkt es sich.',
    iosOwnCertificate:
      'Die Box verlangt von jedem Telefon ein eigenes Zertifikat. Tippen Sie auf den Knopf, sichern Sie die Datei, und öffnen Sie sie mit <b>OwnTracks</b>.',
    androidOwnCertificate:
      'Die Box verlangt von jedem Telefon ein eigenes Zertifikat. Tippen Sie auf den Knopf. Öffnen Sie dann <b>Einstellungen</b>, suchen Sie nach <b>VPN- und App-Nutzerzertifikat</b>, wählen Sie die Datei, und behalten Sie den Namen bei, den Android vorschlägt.',
    ownCertificateButton: 'Zertifikat dieses Telefons sichern',
    iosPermissions:
      'Wenn iOS fragt: Erlauben Sie OwnTracks den Standort <b>Immer</b>, und erlauben Sie Geräte im <b>lokalen Netzwerk</b>: Sonst kann es sich zu Hause nicht verbinden.',
    androidPermissions: 'Wenn Android fragt: Erlauben Sie OwnTracks den Standort <b>immer</b>.',
    publish: 'Tippen Sie in OwnTracks auf den Pfeil oben auf der Karte: Er sendet Ihren Standort.',
    mqttType: 'Tippen Sie die Einstellungen in Ihre App:',
    progress: 'So weit ist dieses Telefon',
    done: 'erledigt',
    notDone: 'noch nicht',
    allDone: 'Alles ist eingerichtet. Sie können diese Seite schließen.',
    noAnswer: 'Die Box antwortet nicht. Ist das Telefon im WLAN zu Hause?',
    steps: {
      certificate: 'Zertifikat geladen',
      tls: 'Verschlüsselte Verbindung',
      signedIn: 'Angemeldet',
      location: 'Erster Standort angekommen',
    },
    fields: {
      mode: 'Modus',
      host: 'Host',
      port: 'Port',
      tls: 'TLS',
      webSocket: 'WebSocket',
      username: 'Benutzername',
      password: 'Passwort',
      clientId: 'Client-ID',
      deviceId: 'Geräte-ID',
      trackerId: 'Tracker-ID',
      cleanSession: 'Clean Session',
      topic: 'Topic',
      version: 'MQTT-Version',
      path: 'Pfad',
      passphrase: 'Passphrase',
    },
    on: 'ein',
    off: 'aus',
  },
  problems: {
    trust:
      'Das Telefon kam, hat aber das Zertifikat abgelehnt. Schalten Sie das volle Vertrauen ein (iPhone), oder installieren Sie es als CA-Zertifikat (Android). Ist das getan, vergleichen Sie den Host in der App mit dem oben, und sehen Sie nach dem Datum des Telefons.',
    name: 'Die App verbindet sich mit einem Namen, der nicht im Zertifikat steht. Nehmen Sie den Host, der oben steht.',
    clock: 'Das Telefon hält das Zertifikat für abgelaufen. Sehen Sie nach Datum und Uhrzeit des Telefons und der Box.',
    'no TLS': 'Die App kam ohne TLS. Schalten Sie TLS in der App ein.',
    certificate: 'Die Box verlangt ein Zertifikat des Telefons selbst, das es nicht hat.',
    password:
      'Die App kam mit einem anderen Passwort. Geben Sie der App die Einstellungen noch einmal, oder bitten Sie um einen neuen Link.',
    held: 'Die App kam zu oft mit einem falschen Passwort. Berichtigen Sie es und warten Sie ein paar Minuten.',
    removed: 'Dieses Telefon wurde entfernt. Bitten Sie um einen neuen Link.',
    rules: 'Die App hat ein Topic benutzt, das sie nicht benutzen darf. Geben Sie der App die Einstellungen noch einmal.',
    other: 'Das Telefon kam, konnte sich aber nicht anmelden.',
  },
  ended: {
    heading: 'Dieser Link gilt nicht mehr',
    unknown: 'Ein Link gilt zehn Minuten, und nur bis ein neuer gemacht wird. Bitten Sie um einen neuen.',
    used: 'Ein anderes Telefon hat diesen Link geöffnet. War es nicht Ihres, entfernen Sie das Telefon auf der Box und bitten Sie um einen neuen Link.',
    failed: 'Die Box konnte die Einstellungen nicht machen. Ihr Log sagt, warum.',
  },
  needsJavaScript: 'Diese Seite braucht JavaScript. Schalten Sie es für diese Seite ein, oder öffnen Sie sie in Safari oder Chrome.',
};

// French.

import type { PhoneWords } from './phone-words.ts';

export const FRENCH: PhoneWords = {
  language: 'fr',
  title: 'Configurer ce téléphone',
  trust: {
    heading: 'D’abord, faire confiance à ce boîtier',
    why: 'Le téléphone et le boîtier à la maison communiquent de façon chiffrée. Pour cela, le téléphone doit connaître le certificat du boîtier.',
    iosLoad: 'Touchez le bouton. Quand Safari demande s’il peut télécharger un profil de configuration, touchez <b>Autoriser</b>.',
    iosLoadButton: 'Charger le profil',
    iosInstall:
      'Ouvrez <b>Réglages</b>, touchez <b>Profil téléchargé</b> en haut, puis <b>Installer</b>. (Il est aussi dans Général > VPN et gestion de l’appareil.)',
    iosSwitch:
      'Dans <b>Réglages > Général > Informations > Réglages de confiance des certificats</b>, tout en bas de la page, activez <b>{authority}</b>. Sans cette étape, le profil ne sert à rien.',
    iosPicture: 'L’interrupteur à côté du nom du certificat est activé.',
    iosPictureTitle: 'Réglages de confiance',
    iosPictureSection: 'Confiance totale aux certificats racine',
    androidLoad: 'Touchez le bouton. Le téléphone enregistre le fichier <b>midge.crt</b>.',
    androidLoadButton: 'Charger le certificat',
    androidInstall:
      'Ouvrez les <b>Paramètres</b> et cherchez <b>certificat CA</b>. (Il est dans Sécurité > Autres paramètres de sécurité > Installer un certificat.) Touchez <b>Installer quand même</b> et choisissez midge.crt.',
    androidNotice:
      'Android peut demander le code du téléphone. Ensuite il signale que le réseau est peut-être surveillé : il le fait pour tout certificat que vous installez vous-même.',
    androidApps: 'OwnTracks et Chrome font alors confiance au certificat. Pas Firefox : ouvrez cette page dans Chrome.',
    back: 'Revenez sur cette page. Elle continue d’elle-même.',
    pastWarning:
      'Si le navigateur vous a averti, le téléphone ne connaît pas encore le certificat de ce boîtier. Passer outre n’ouvre que cette page : l’application refuse toujours de se connecter. Si vous avez déjà installé le certificat sur ce téléphone, continuez ci-dessous.',
    thenOn: 'Revenez sur cette page et continuez ci-dessous.',
    setUpNext: 'Ensuite, configurer le téléphone',
    waiting: 'En attente : le téléphone doit faire confiance au certificat ...',
    trusted: 'Le téléphone fait confiance au certificat.',
    notYet: 'Pas encore. Si vous avez tout fait, vérifiez la date et l’heure du téléphone.',
    otherSystem: { ios: 'C’est un iPhone ou un iPad', android: 'C’est un téléphone Android' },
    profileName: 'midge',
    profileDescription: 'Permet à cet appareil de faire confiance au broker MQTT de la maison.',
  },
  setUp: {
    headingOwnTracks: 'OwnTracks pour {person}',
    headingMqtt: 'MQTT pour {person}',
    onePhone: 'Ce lien configure un seul téléphone. Continuez avec le téléphone que vous voulez configurer.',
    getSettings: 'Configurer ce téléphone',
    getAgain: 'Créer de nouveaux réglages',
    lost: 'Ce téléphone a ouvert le lien, mais ses réglages ne sont plus sur cette page. De nouveaux réglages ont un nouveau mot de passe.',
    install: 'Installez <b>OwnTracks</b>.',
    allow:
      'Dans OwnTracks, ouvrez <b>Settings > Remote Control</b> et activez <b>Allow external configuration</b>. (Les versions d’avant mai 2026 n’ont pas cet interrupteur : continuez.)',
    open: 'Touchez le bouton et confirmez dans OwnTracks.',
    openButton: 'Ouvrir dans OwnTracks',
    disallow: 'Désactivez de nouveau <b>Allow external configuration</b>.',
    otherWay: 'Si le bouton ne fait rien',
    saveFile: 'Enregistrer les réglages dans un fichier et l’ouvrir avec OwnTracks',
    type: 'Ou saisir les réglages dans OwnTracks :',
    once: 'Le mot de passe n’est affiché que maintenant. L’application le garde.',
    iosOwnCertificate:
      'Le boîtier demande à chaque téléphone un certificat propre. Touchez le bouton, enregistrez le fichier et ouvrez-le avec <b>OwnTracks</b>.',
    androidOwnCertificate:
      'Le boîtier demande à chaque téléphone un certificat propre. Touchez le bouton. Ouvrez ensuite <b>Paramètres</b>, cherchez <b>Certificat utilisateur VPN et application</b>, choisissez le fichier et gardez le nom qu’Android propose.',
    ownCertificateButton: 'Enregistrer le certificat de ce téléphone',
    iosPermissions:
      'Quand iOS le demande, laissez OwnTracks utiliser votre position <b>Toujours</b> et trouver des appareils sur le <b>réseau local</b> : sinon il ne peut pas se connecter à la maison.',
    androidPermissions: 'Quand Android le demande, laissez OwnTracks utiliser votre position <b>en permanence</b>.',
    publish: 'Dans OwnTracks, touchez la flèche en haut de la carte : elle envoie votre position.',
    mqttType: 'Saisissez les réglages dans votre application :',
    progress: 'Où en est ce téléphone',
    done: 'fait',
    notDone: 'pas encore',
    allDone: 'Tout est configuré. Vous pouvez fermer cette page.',
    noAnswer: 'Le boîtier ne répond pas. Le téléphone est-il sur le Wi-Fi de la maison ?',
    steps: {
      certificate: 'Certificat chargé',
      tls: 'Connexion chiffrée',
      signedIn: 'Connecté',
      location: 'Première position reçue',
    },
    fields: {
      mode: 'Mode',
      host: 'Hôte',
      port: 'Port',
      tls: 'TLS',
      webSocket: 'WebSocket',
      username: 'Nom d’utilisateur',
      password: 'Mot de passe',
      clientId: 'Identifiant client',
      deviceId: 'Identifiant de l’appareil',
      trackerId: 'Identifiant du traceur',
      cleanSession: 'Clean session',
      topic: 'Topic',
      version: 'Version de MQTT',
      path: 'Chemin',
      passphrase: 'Phrase secrète',
    },
    on: 'activé',
    off: 'désactivé',
  },
  problems: {
    trust:
      'Le téléphone est venu, mais a refusé le certificat. Activez la confiance totale (iPhone) ou installez-le comme certificat CA (Android). Si c’est fait, comparez l’hôte dans l’application avec celui ci-dessus, et vérifiez la date du téléphone.',
    name: 'L’application se connecte à un nom qui n’est pas dans le certificat. Prenez l’hôte indiqué ci-dessus.',
    clock: 'Le téléphone trouve le certificat périmé. Vérifiez la date et l’heure du téléphone et du boîtier.',
    'no TLS': 'L’application est venue sans TLS. Activez TLS dans l’application.',
    certificate: 'Le boîtier demande un certificat du téléphone lui-même, qu’il n’a pas.',
    password:
      'L’application est venue avec un autre mot de passe. Donnez encore une fois les réglages à l’application, ou demandez un nouveau lien.',
    held: 'L’application est venue trop souvent avec un mauvais mot de passe. Corrigez-le, puis attendez quelques minutes.',
    removed: 'Ce téléphone a été supprimé. Demandez un nouveau lien.',
    rules: 'L’application a utilisé un topic qui ne lui est pas permis. Donnez encore une fois les réglages à l’application.',
    other: 'Le téléphone est venu, mais n’a pas pu entrer.',
  },
  ended: {
    heading: 'Ce lien n’est plus valable',
    unknown: 'Un lien est valable dix minutes, et jusqu’à ce qu’un nouveau soit créé. Demandez-en un nouveau.',
    used: 'Un autre téléphone a ouvert ce lien. Si ce n’était pas le vôtre, supprimez le téléphone sur le boîtier et demandez un nouveau lien.',
    failed: 'Le boîtier n’a pas pu créer les réglages. Son journal dit pourquoi.',
  },
  needsJavaScript: 'Cette page a besoin de JavaScript. Activez-le pour cette page, ou ouvrez-la dans Safari ou Chrome.',
};

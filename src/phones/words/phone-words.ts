// What each language of the pages must have.

import type { PhoneProblem } from '../phone-problem.ts';

/** PhoneWords are those of one language. `{name}` in a text stands for a name; `<b>` marks what stands on the screen of the phone. */
export interface PhoneWords {
  readonly language: string;
  readonly title: string;
  /** The page by which the phone comes to trust us. */
  readonly trust: {
    readonly heading: string;
    readonly why: string;
    readonly iosLoad: string;
    readonly iosLoadButton: string;
    readonly iosInstall: string;
    readonly iosSwitch: string;
    readonly iosPicture: string;
    readonly iosPictureTitle: string;
    readonly iosPictureSection: string;
    readonly androidLoad: string;
    readonly androidLoadButton: string;
    readonly androidInstall: string;
    readonly androidNotice: string;
    readonly androidApps: string;
    readonly back: string;
    /** On the page by HTTPS, of a phone that has perhaps gone past the warning of its browser. */
    readonly pastWarning: string;
    readonly thenOn: string;
    readonly setUpNext: string;
    readonly waiting: string;
    readonly trusted: string;
    readonly notYet: string;
    readonly otherSystem: { readonly ios: string; readonly android: string };
    readonly profileName: string;
    readonly profileDescription: string;
  };
  /** The page that sets the app up. */
  readonly setUp: {
    readonly headingOwnTracks: string;
    readonly headingMqtt: string;
    readonly onePhone: string;
    readonly getSettings: string;
    readonly getAgain: string;
    readonly lost: string;
    readonly install: string;
    readonly allow: string;
    readonly open: string;
    readonly openButton: string;
    readonly disallow: string;
    readonly otherWay: string;
    readonly saveFile: string;
    readonly type: string;
    readonly once: string;
    readonly iosOwnCertificate: string;
    readonly androidOwnCertificate: string;
    readonly ownCertificateButton: string;
    readonly iosPermissions: string;
    readonly androidPermissions: string;
    readonly publish: string;
    readonly mqttType: string;
    readonly progress: string;
    readonly done: string;
    readonly notDone: string;
    readonly allDone: string;
    readonly noAnswer: string;
    readonly steps: { readonly certificate: string; readonly tls: string; readonly signedIn: string; readonly location: string };
    readonly fields: {
      readonly mode: string;
      readonly host: string;
      readonly port: string;
      readonly tls: string;
      readonly webSocket: string;
      readonly username: string;
      readonly password: string;
      readonly clientId: string;
      readonly deviceId: string;
      readonly trackerId: string;
      readonly cleanSession: string;
      readonly topic: string;
      readonly version: string;
      readonly path: string;
      readonly passphrase: string;
    };
    readonly on: string;
    readonly off: string;
  };
  readonly problems: Readonly<Record<PhoneProblem, string>>;
  /** Why there is no page. */
  readonly ended: { readonly heading: string; readonly unknown: string; readonly used: string; readonly failed: string };
  readonly needsJavaScript: string;
}

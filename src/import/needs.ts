// What an import needs of the other rooms. app/ hands it over.

import type { LoadedSession, StoredMessage } from '../broker/ports.ts';

/** SettingLine is one statement of a configuration. `scope` is 0 in the main file and what it includes, and another number in each file of `include_dir`. */
export interface SettingLine {
  readonly place: { readonly file: string; readonly line: number };
  readonly name: string;
  readonly text: string;
  readonly scope: number;
  /** What midge makes of it; 'same meaning': it asks for what happens anyway. */
  readonly outcome: 'taken' | 'same meaning' | 'without effect' | 'refused';
  /** Why, or what to do instead; null when it is taken. */
  readonly reason: string | null;
}

/** ConfigurationRemark is what midge says of a configuration, as one line. `line` 0 = of the file as a whole. */
export interface ConfigurationRemark {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly text: string;
}

/** AccessRemark is a mistake or a warning about a line of a password or ACL file. */
export interface AccessRemark {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly message: string;
}

/** KeptContent is what a database holds. */
export interface KeptContent {
  readonly sessions: readonly LoadedSession[];
  readonly retained: readonly StoredMessage[];
}

/** ImportNeeds: each may throw OperatorError. */
export interface ImportNeeds {
  readonly configuration: {
    /** treatLines reads a configuration with all that it includes. */
    treatLines(file: string): readonly SettingLine[];
    /** remarksOn loads a configuration as a start would. */
    remarksOn(file: string): readonly ConfigurationRemark[];
  };
  readonly access: {
    parsePasswordFile(text: string, path: string): { readonly users: { readonly size: number }; readonly remarks: readonly AccessRemark[] };
    parseAclFile(text: string, path: string): { readonly remarks: readonly AccessRemark[] };
    /** parseSecurityFile reads the text of a file of dynamic security. Throws an Error with its first mistake. */
    parseSecurityFile(text: string): Readonly<Record<'clients' | 'groups' | 'roles', { readonly size: number }>>;
    /** writePasswordFile writes a file that only its owner may read. */
    writePasswordFile(path: string, text: string): void;
  };
  readonly store: {
    /** tryFilling says which rows a start would leave out; null = none. */
    tryFilling(content: KeptContent): Promise<string | null>;
    /** fillStore writes the database of a state folder; with `dryRun` it only looks whether it could. */
    fillStore(folder: string, content: KeptContent, dryRun: boolean): Promise<void>;
  };
  /** asOwner and asOwnerNow do something as the user whose folder it is, where root does not trust that user. */
  asOwner<T>(path: string, action: () => Promise<T>): Promise<T>;
  asOwnerNow<T>(path: string, action: () => T): T;
}

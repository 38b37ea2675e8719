// What the broker's state folder holds besides the database, which may have any name but these.

/** STATE_NAMES are names in the state folder. */
export const STATE_NAMES = {
  passwordFile: 'passwd',
  /** Clients, groups and roles, where the configuration names no other place; and the first passwords, beside it. */
  dynamicSecurity: 'dynamic-security.json',
  dynamicSecurityPasswords: 'dynamic-security.json.pw',
  certificates: 'certificates',
  controlSocket: 'control.sock',
  knownLogins: 'known-logins',
  /** Who may sign in to the REST interface, and as what. */
  apiRoles: 'api-roles',
  /** The last texts of the configuration. */
  configurationHistory: 'configuration-history',
  apiTokens: 'api-tokens',
  /** Who changed what. */
  changes: 'changes',
  /** The account at the authority of the Internet, and what it has given. */
  internet: 'internet',
  /** The phones that were set up, and the links by which they are. */
  phones: 'phones',
  /** The invitations to bridges that were given, and which were accepted. */
  bridgeInvitations: 'bridge-invitations',
  /** Which version was the newest when the broker looked last; and its request to root to install it. */
  updates: 'updates.json',
  updateRequest: 'update-request',
  /** How the broker fared, for charts. */
  metricsHistory: 'metrics-history',
  /** A backup that was brought, until it is restored. */
  restoreUpload: 'restore-upload',
  /** Says that the folder is ours. */
  marker: '.midge-state',
  /** On the image, whose root is read-only: what midge.txt says, settings of the owner, and the topics of accounts. */
  imageConfiguration: 'appliance.conf',
  imageSettings: 'conf.d',
  imageRules: 'acl',
} as const;

/** isStateName tells whether a name in the state folder is taken. */
export function isStateName(name: string): boolean {
  return Object.values<string>(STATE_NAMES).includes(name);
}

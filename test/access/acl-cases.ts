// ACL files and what they mean: asked of the authorizer alone, of our broker, and of Debian's mosquitto.

/** AclCases is a file and questions to it: `USER@CLIENT publish|receive TOPIC -> yes|no`; no USER is a client without a user name. */
export interface AclCases {
  readonly name: string;
  readonly acl: string;
  readonly questions: readonly string[];
}

/** AclQuestion is one of them, read. */
export interface AclQuestion {
  readonly text: string;
  readonly username: string | null;
  readonly clientId: string;
  readonly action: 'publish' | 'receive';
  readonly topicName: string;
  readonly allowed: boolean;
}

/** readQuestion reads a question. */
export function readQuestion(text: string): AclQuestion {
  const [, username = '', clientId = '', action, topicName = '', verdict] =
    /^([^@]*)@(.*?) (publish|receive) (.*) -> (yes|no)$/.exec(text) ?? [];
  if (action !== 'publish' && action !== 'receive') throw new Error(`no question: ${text}`);
  return { text, username: username === '' ? null : username, clientId, action, topicName, allowed: verdict === 'yes' };
}

export const ACL_CASES: readonly AclCases[] = [
  {
    name: 'the OwnTracks guide',
    acl: `user jjolie
topic owntracks/jjolie/#

user fred
topic read owntracks/jjolie/5s
topic owntracks/fred/nexus/#
`,
    questions: [
      'jjolie@5s publish owntracks/jjolie/5s -> yes',
      'jjolie@5s receive owntracks/jjolie/5s/cmd -> yes',
      'jjolie@5s publish owntracks/jjolie -> yes',
      'jjolie@5s publish owntracks/fred/nexus -> no',
      'jjolie@5s receive owntracks/fred/nexus -> no',
      'fred@nexus receive owntracks/jjolie/5s -> yes',
      'fred@nexus publish owntracks/jjolie/5s -> no',
      'fred@nexus receive owntracks/jjolie/5s/event -> no',
      'fred@nexus receive owntracks/jjolie/6 -> no',
      'fred@nexus publish owntracks/fred/nexus -> yes',
      'fred@nexus publish owntracks/fred/nexus/step -> yes',
      'fred@nexus publish owntracks/fred/other -> no',
      'jane@x receive owntracks/jjolie/5s -> no',
      '@x receive owntracks/jjolie/5s -> no',
      '@x publish owntracks/jjolie/5s -> no',
    ],
  },
  {
    name: 'rules for clients without a user name',
    acl: `topic read public/#
topic write inbox/+
user ann
topic readwrite ann/#
user bob smith
topic read ann/a b
user ann
topic read late
`,
    questions: [
      '@x receive public -> yes',
      '@x receive public/a/b -> yes',
      '@x publish public/a -> no',
      '@x publish inbox/a -> yes',
      '@x receive inbox/a -> no',
      '@x publish inbox -> no',
      '@x publish inbox/a/b -> no',
      '@x publish inbox/ -> yes',
      'ann@x receive public/a -> no',
      'ann@x publish ann/1 -> yes',
      'ann@x receive late -> yes',
      'ann@x publish late -> no',
      'bob smith@x receive ann/a b -> yes',
      'bob smith@x receive ann/a -> no',
      'bob@x receive ann/a b -> no',
      'Ann@x publish ann/1 -> no',
    ],
  },
  {
    name: 'denials',
    acl: `user eve
topic readwrite house/#
topic deny house/safe/#
topic read house/safe/light
topic read log
topic write log
topic deny gone
topic readwrite gone
pattern deny house/%u/#
pattern readwrite common/#
pattern deny common/secret
user max
topic readwrite common/secret
`,
    questions: [
      'eve@x publish house/door -> yes',
      'eve@x publish house/safe -> no',
      'eve@x receive house/safe/code -> no',
      'eve@x receive house/safe/light -> no',
      'eve@x publish house/eve/1 -> yes',
      'eve@x publish log -> yes',
      'eve@x receive log -> yes',
      'eve@x publish gone -> no',
      'eve@x publish common/a -> yes',
      'eve@x receive common/secret -> no',
      'max@x receive common/secret -> yes',
      'max@x publish common/secret -> yes',
      'max@x publish house/max/1 -> no',
      '@x publish common/a -> yes',
      '@x publish common/secret -> no',
    ],
  },
  {
    name: 'patterns',
    acl: `pattern readwrite dev/%c/#
user kim
topic read kim/inbox
pattern write sensors/%u/%c/+
pattern read broadcast/+/all
pattern readwrite twice/%u/%u
pattern readwrite part/pre-%u-post
`,
    questions: [
      '@lamp publish dev/lamp/on -> yes',
      '@lamp receive dev/lamp -> yes',
      '@lamp publish dev/door/on -> no',
      'kim@lamp publish dev/lamp/on -> yes',
      'kim@lamp publish dev/kim/on -> no',
      'kim@lamp publish sensors/kim/lamp/t -> yes',
      'kim@lamp receive sensors/kim/lamp/t -> no',
      'kim@lamp publish sensors/kim/lamp -> no',
      'kim@lamp publish sensors/kim/door/t -> no',
      '@lamp publish sensors//lamp/t -> no',
      '@lamp publish sensors/%u/lamp/t -> no',
      '@lamp receive broadcast/x/all -> yes',
      '@lamp publish broadcast/x/all -> no',
      'kim@lamp receive kim/inbox -> yes',
      'kim@lamp publish twice/kim/kim -> yes',
      'kim@lamp publish twice/kim/lamp -> no',
      'kim@lamp publish part/pre-kim-post -> yes',
      'kim@lamp publish part/pre-%u-post -> no',
      '%c@lamp publish twice/%c/%c -> yes',
      '%c@lamp publish twice/lamp/lamp -> no',
    ],
  },
  {
    name: 'names with wildcards',
    acl: `pattern readwrite dev/%c/#
pattern readwrite all/%u
user +
topic readwrite plus
user #
topic read plus
`,
    questions: [
      '@+ publish dev/lamp/on -> no',
      '@a#b receive dev/a/x -> no',
      '@# publish dev/x -> no',
      '+@x publish all/kim -> no',
      '+@x publish dev/x/1 -> no',
      '+@x publish plus -> yes',
      '#@x receive plus -> yes',
      '#@x publish plus -> no',
      'ok@x publish all/ok -> yes',
    ],
  },
  {
    name: 'names with wildcards where there are no patterns',
    acl: `topic readwrite a/#
user + b
topic readwrite b/#
`,
    questions: ['@+ publish a/1 -> yes', '@#x receive a/1 -> yes', '+ b@+ publish b/1 -> yes', '+ b@+ publish a/1 -> no'],
  },
  {
    name: 'topics that begin with $',
    acl: `user all
topic readwrite #
user wild
topic readwrite +/broker/#
user sys
topic readwrite $SYS/#
topic readwrite $other/#
topic readwrite $share/#
user none
topic read $other/+
topic deny #
`,
    questions: [
      'all@x publish a/b/c -> yes',
      'all@x receive $SYS/broker/version -> no',
      'all@x publish $other/a -> no',
      'wild@x receive $SYS/broker/version -> no',
      'wild@x publish x/broker -> yes',
      'sys@x receive $SYS/broker/version -> yes',
      'sys@x publish $SYS/broker/version -> no',
      'sys@x publish $SYS/broker/connection/home/state -> yes',
      'all@x publish $SYS/broker/connection/home/state -> no',
      'sys@x publish $SYS/broker/connection/home/else -> no',
      'sys@x publish $other/a -> yes',
      'sys@x receive $other -> yes',
      'sys@x publish $share/group/a -> no',
      'none@x receive $other/a -> yes',
      'none@x receive a -> no',
    ],
  },
  {
    name: 'levels and letters',
    acl: `topic readwrite a/+/c
topic readwrite /slash
topic read
topic write  two//empty  
topic readwrite up/#
topic readwrite grün/ß
topic readwrite Case
`,
    questions: [
      '@x publish a/b/c -> yes',
      '@x publish a//c -> yes',
      '@x publish a/b/b/c -> no',
      '@x publish a/c -> no',
      '@x publish /slash -> yes',
      '@x publish slash -> no',
      '@x publish read -> yes',
      '@x receive read -> yes',
      '@x publish two//empty -> yes',
      '@x receive two//empty -> no',
      '@x publish two/empty -> no',
      '@x publish up -> yes',
      '@x publish up/ -> yes',
      '@x publish upper -> no',
      '@x publish grün/ß -> yes',
      '@x publish grün/ss -> no',
      '@x publish case -> no',
    ],
  },
  {
    name: 'a file with Windows line ends and comments',
    acl: '# who\r\nuser ann\r\n\r\n#topic readwrite b\r\ntopic readwrite a\r\n   topic readwrite c',
    questions: ['ann@x publish a -> yes', 'ann@x publish b -> no', 'ann@x publish c -> yes', '@x publish a -> no'],
  },
];

// The catalogue of refusals: each reason in words for people, for logs and for `midge why`.

import type {
  ClientCertificateProblem,
  PlainTlsProblem,
  ProxyProblem,
  RefusalReason,
  TlsProblem,
  WebSocketProblem,
} from './refusal-reason.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5' } as const;

const SPOKEN = {
  TLS: 'speaks TLS to a port without TLS',
  HTTP: 'speaks HTTP to an MQTT port',
  'something else': 'speaks something that is not MQTT',
} as const;

const WILLS = {
  topic: 'has a will whose topic is no topic name',
  payload: 'has a will with more payload than message_size_limit',
  qos: 'has a will with a QoS above max_qos',
  retain: 'has a will to be retained, and retain_available is false',
} as const;

const TLS_PROBLEMS: Readonly<Record<PlainTlsProblem, string>> = {
  left: 'it left when it had seen the certificate of this broker, which it may not trust',
  closed: 'connection closed by client',
  timeout: 'exceeded timeout',
  'plain HTTP': 'it speaks plain HTTP to a TLS listener',
  'no TLS': 'it does not appear to be using TLS',
  'no common version': 'it offers only TLS versions that are not allowed here',
  'no common cipher': 'it offers no cipher that is allowed here',
  'no common protocol': 'it asks for another protocol than MQTT',
  'no client certificate': 'it sent no client certificate',
  'server untrusted': 'it does not trust the certificate of this broker',
  'server name': 'it may not find the name that it connects to in the certificate of this broker',
  'server expired': 'it finds the certificate of this broker expired',
  'nothing in common': 'it has no TLS version or cipher in common with this broker',
  'wrong pre-shared key': 'its pre-shared key is another one',
  'unknown identity': 'its identity is not in psk_file',
  'not in force any more': 'what it came with is not in force any more',
  'no revocation list': 'crlfile has no list of the authority of its client certificate',
  'old revocation list': 'the list of revoked certificates in crlfile is too old',
};

const WEBSOCKET_PROBLEMS: Readonly<Record<WebSocketProblem, string>> = {
  'web page': 'it asks for a web page',
  'no HTTP': 'it does not speak HTTP',
  'foreign page': 'non-matching http origin, for without a configuration only web pages of this machine may connect (websockets_origin)',
  'foreign origin': 'non-matching http origin',
  'no subprotocol': 'Sec-WebSocket-Protocol does not offer mqtt',
};

const PROXY_PROBLEMS: Readonly<Record<ProxyProblem, string>> = {
  'no header': 'it sent no PROXY header',
  'too long': 'its PROXY header is too long',
  'no address': 'its PROXY header has no address',
  'no port': 'its PROXY header has no port',
  'unknown version': 'its PROXY header is of no known version',
  'cut short': 'its PROXY header is cut short',
  'no TLS': 'it came to the proxy without TLS',
  'no client certificate': 'it showed the proxy no valid client certificate',
  'no common name': 'its client certificate has no common name',
};

/** refusalSentence gives a sentence about the client without its subject: `speaks HTTP to an MQTT port`. */
export function refusalSentence(reason: RefusalReason): string {
  switch (reason.cause) {
    case 'tls':
      if (reason.what === 'handshake') return `failed the TLS handshake: ${tlsProblemWords(reason.problem)}`;
      return 'closes the connection right after the TLS handshake: it may not trust the certificate of this broker';
    case 'certificate':
      return `has a client certificate without a ${reason.wanted}, which is the user name here`;
    case 'websocket':
      return `opens no WebSocket that this listener accepts: ${webSocketProblemWords(reason.problem)}`;
    case 'proxy':
      return `is turned away by the PROXY protocol of this listener: ${proxyProblemWords(reason.problem)}`;
    case 'wrong protocol':
      return SPOKEN[reason.spoken];
    case 'bad packet':
      if (reason.what === 'too large') return `sends more than max_packet_size allows: ${lower(reason.detail)}`;
      return `sends a packet that breaks the rules of MQTT: ${lower(reason.detail)}`;
    case 'silent':
      if (reason.what === 'nothing') return `connects but sends nothing within ${reason.seconds} s`;
      return `began to speak but sends no whole CONNECT within ${reason.seconds} s`;
    case 'protocol version':
      if (reason.what === 'unknown') return `asks for a protocol that this broker does not speak: ${lower(reason.detail)}`;
      return `speaks MQTT ${VERSIONS[reason.version]}, which this listener does not accept (accept_protocol_versions)`;
    case 'client id':
      return clientIdSentence(reason);
    case 'will':
      return WILLS[reason.what];
    case 'credentials':
      return credentialsSentence(reason);
    case 'page':
      return `wanted to sign in to the page, but ${pageWords(reason)}`;
    case 'not allowed':
      return notAllowedSentence(reason);
    case 'held':
      return 'was refused unseen after too many wrong logins';
    case 'unavailable':
      return 'could not be checked: too many logins wait, or the check failed';
    case 'busy':
      return `finds no room: ${reason.limit === 'max_connections' ? 'max_connections of this listener' : reason.limit} is reached`;
    case 'topic':
      return topicSentence(reason);
  }
}

/** tlsProblemWords gives the second half of the sentence that a TLS handshake failed. */
export function tlsProblemWords(problem: TlsProblem): string {
  if (typeof problem === 'string') return TLS_PROBLEMS[problem];
  return problem.what === 'other' ? problem.detail : certificateWords(problem);
}

/** webSocketProblemWords is also what the client is told. */
export function webSocketProblemWords(problem: WebSocketProblem): string {
  return WEBSOCKET_PROBLEMS[problem];
}

export function proxyProblemWords(problem: ProxyProblem): string {
  return PROXY_PROBLEMS[problem];
}

function certificateWords(problem: ClientCertificateProblem): string {
  if (problem.what === 'unreadable client certificate') return `its client certificate or one above it can't be read (${problem.detail})`;
  const who = problem.name === null ? 'its client certificate' : `its client certificate "${problem.name}"`;
  switch (problem.what) {
    case 'revoked':
      return `${who} is revoked`;
    case 'chain expired':
      return `${who} or an authority above it has expired`;
    case 'chain not valid yet':
      return `${who} or an authority above it is not valid yet`;
    case 'not for clients':
      return `${who} is not made for clients`;
    case 'expired':
      return `${who} expired on ${day(problem.date)}`;
    case 'not valid yet':
      return `${who} is valid only from ${day(problem.date)}`;
    case 'client untrusted': {
      const by = problem.issuer === null ? '' : `"${problem.issuer}", `;
      return `${who} is issued by ${by}an authority that this broker does not trust`;
    }
    case 'not accepted':
      return `${who} is not accepted (${problem.detail})`;
  }
}

function clientIdSentence(reason: RefusalReason & { readonly cause: 'client id' }): string {
  switch (reason.what) {
    case 'missing':
      return 'gives no client id where one is needed';
    case 'prefix':
      return `has a client id that does not begin with "${reason.prefix}" (clientid_prefixes)`;
    case 'of another user':
      return `has the client id of ${reason.owner === null ? 'another user' : `user "${reason.owner}"`}, whose session nobody else may take over`;
  }
}

function credentialsSentence(reason: RefusalReason & { readonly cause: 'credentials' }): string {
  switch (reason.what) {
    case 'no password':
      return 'gives no password';
    case 'wrong':
      return 'gives a wrong user name or password';
    case 'wrong password':
      return `gives a wrong password for user "${reason.username}"`;
    case 'unknown user':
      return `gives user "${reason.username}", who has no account here`;
    case 'locked':
      return `gives user "${reason.username}": the account is locked`;
    case 'disabled':
      return `gives user "${reason.username}", who is disabled`;
    case 'without password':
      return `gives user "${reason.username}", who has no password yet`;
  }
}

function pageWords({ what, username }: RefusalReason & { readonly cause: 'page' }): string {
  switch (what) {
    case 'wrong password':
      return `gave a wrong password for user "${username}"`;
    case 'unknown user':
      return `user "${username}" has no account here`;
    case 'locked':
      return `the account of user "${username}" is locked`;
    case 'disabled':
      return `user "${username}" is disabled`;
    case 'without password':
      return `user "${username}" has no password yet`;
    case 'no role':
      return `user "${username}" has no role there`;
    case 'held':
      return `user "${username}" was refused unseen after too many wrong passwords`;
  }
}

function topicSentence(reason: RefusalReason & { readonly cause: 'topic' }): string {
  if (reason.what === 'denied') return 'may not publish here';
  const what = `may not publish to "${reason.topicName}"`;
  switch (reason.what) {
    case 'reserved topic':
      return `${what}: nobody but the broker itself writes there`;
    case 'special name':
      return `${what}: a user name or client id with + or # gets nothing by the patterns of ${reason.file}`;
    case 'no rule':
      return `${what}: no rule of ${reason.file} allows it`;
    case 'roles':
      return `${what}: ${reason.why}`;
    case 'rule':
      return `${what}: ${reason.file}:${reason.line}: ${reason.rule}`;
  }
}

function notAllowedSentence(reason: RefusalReason & { readonly cause: 'not allowed' }): string {
  switch (reason.what) {
    case 'no user name':
      return 'gives no user name, and this listener lets nobody in without';
    case 'no user name as client id':
      return 'gives no user name, which is the client id here (use_username_as_clientid)';
    case 'no accounts':
      return 'gives a user name, but nobody has an account here';
    case 'enhanced authentication':
      return 'asks for enhanced authentication, which this broker does not do';
    case 'not in force any more':
      return 'came by what is not in force any more: its certificate, its key, or its listener';
    case 'keep alive':
      return `has a keep alive of ${reason.seconds} s, and max_keepalive is ${reason.most}`;
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Errors begin with a capital, and names such as QoS have two. */
function lower(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text; // not empty
}

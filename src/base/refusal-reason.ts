// Why a client was turned away, as values: made where it happens. What people read of it is written by refusal-sentences.ts.

/**
 * RefusalReason is why a client was turned away, or a message was not taken. `cause` sorts reasons for programs, `what` tells those of one
 * cause apart. Of wrong credentials and denied topics the engine knows only 'wrong' and 'denied'; refusals/ finds out more. No client is told any of it.
 */
export type RefusalReason =
  | { readonly cause: 'tls'; readonly what: 'handshake'; readonly problem: TlsProblem }
  | { readonly cause: 'tls'; readonly what: 'left after it' }
  | { readonly cause: 'certificate'; readonly wanted: string }
  | { readonly cause: 'websocket'; readonly problem: WebSocketProblem }
  | { readonly cause: 'proxy'; readonly problem: ProxyProblem }
  | { readonly cause: 'wrong protocol'; readonly spoken: 'TLS' | 'HTTP' | 'something else' }
  | { readonly cause: 'bad packet'; readonly what: 'too large' | 'malformed'; readonly detail: string }
  | { readonly cause: 'silent'; readonly what: 'nothing' | 'no whole CONNECT'; readonly seconds: number }
  | { readonly cause: 'protocol version'; readonly what: 'unknown'; readonly detail: string }
  | { readonly cause: 'protocol version'; readonly what: 'not accepted'; readonly version: 3 | 4 | 5 }
  | { readonly cause: 'client id'; readonly what: 'missing' }
  | { readonly cause: 'client id'; readonly what: 'prefix'; readonly prefix: string | null }
  | { readonly cause: 'client id'; readonly what: 'of another user'; readonly owner: string | null }
  | { readonly cause: 'will'; readonly what: 'topic' | 'payload' | 'qos' | 'retain' }
  | { readonly cause: 'credentials'; readonly what: 'no password' | 'wrong' }
  | {
      readonly cause: 'credentials';
      readonly what: 'wrong password' | 'unknown user' | 'locked' | 'disabled' | 'without password';
      readonly username: string;
    }
  | { readonly cause: 'page'; readonly what: PageProblem; readonly username: string }
  | { readonly cause: 'not allowed'; readonly what: 'no user name' | 'no user name as client id' | 'no accounts' }
  | { readonly cause: 'not allowed'; readonly what: 'enhanced authentication' | 'not in force any more' }
  | { readonly cause: 'not allowed'; readonly what: 'keep alive'; readonly seconds: number; readonly most: number }
  | { readonly cause: 'held' | 'unavailable' }
  | { readonly cause: 'busy'; readonly limit: 'max_connections' | 'global_max_clients' | 'global_max_connections' | 'memory_limit' }
  | { readonly cause: 'topic'; readonly what: 'denied' }
  | { readonly cause: 'topic'; readonly what: 'reserved topic'; readonly topicName: string }
  | { readonly cause: 'topic'; readonly what: 'special name' | 'no rule'; readonly topicName: string; readonly file: string }
  | { readonly cause: 'topic'; readonly what: 'roles'; readonly topicName: string; readonly why: string }
  | (AclPlace & { readonly cause: 'topic'; readonly what: 'rule'; readonly topicName: string });

/** AclPlace is a line of an ACL file, for example `topic deny home/#`. */
interface AclPlace {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

export type RefusalCause = RefusalReason['cause'];

/** PageProblem is why somebody could not sign in to the page; who tells of it says 'wrong password' whatever is wrong with the account. */
export type PageProblem = 'wrong password' | 'unknown user' | 'locked' | 'disabled' | 'without password' | 'no role' | 'held';

/** TlsProblem is why a TLS handshake failed. */
export type TlsProblem =
  | PlainTlsProblem
  | ClientCertificateProblem
  /** Node or OpenSSL says it. */
  | { readonly what: 'other'; readonly detail: string };

/** PlainTlsProblem needs no more words. 'left': in the middle of the handshake, when it had seen our certificate. */
export type PlainTlsProblem =
  | 'left'
  | 'closed'
  | 'timeout'
  | 'plain HTTP'
  | 'no TLS'
  | 'no common version'
  | 'no common cipher'
  | 'no common protocol'
  | 'no client certificate'
  | 'server untrusted'
  | 'server name'
  | 'server expired'
  | 'nothing in common'
  | 'wrong pre-shared key'
  | 'unknown identity'
  | 'not in force any more'
  | 'no revocation list'
  | 'old revocation list';

/** ClientCertificateProblem is what is wrong with the certificate of a client; `name` is its common name, null = it has none, or it is not known. */
export type ClientCertificateProblem =
  | { readonly what: 'unreadable client certificate'; readonly detail: string }
  | (Named & { readonly what: 'revoked' | 'chain expired' | 'chain not valid yet' | 'not for clients' })
  | (Named & { readonly what: 'expired' | 'not valid yet'; readonly date: Date })
  | (Named & { readonly what: 'client untrusted'; readonly issuer: string | null })
  | (Named & { readonly what: 'not accepted'; readonly detail: string });

interface Named {
  readonly name: string | null;
}

/** WebSocketProblem: 'foreign page' = only web pages of this machine may connect, 'foreign origin' = those of `websockets_origin`. */
export type WebSocketProblem = 'web page' | 'no HTTP' | 'foreign page' | 'foreign origin' | 'no subprotocol';

/** ProxyProblem is what is wrong with a PROXY header, or missing in it. */
export type ProxyProblem =
  | 'no header'
  | 'too long'
  | 'no address'
  | 'no port'
  | 'unknown version'
  | 'cut short'
  | 'no TLS'
  | 'no client certificate'
  | 'no common name';

// Why a phone does not get in, in as few kinds as there are things that its person can do about it.

/** PHONE_PROBLEMS: 'trust' = the certificate or its name, 'name' = its name for certain, 'clock' = a date, 'certificate' = it has none of its own. */
export const PHONE_PROBLEMS = ['trust', 'name', 'clock', 'no TLS', 'certificate', 'password', 'held', 'removed', 'rules', 'other'] as const;
export type PhoneProblem = (typeof PHONE_PROBLEMS)[number];

/** Turned is a refusal, as the memory of them has it. */
export interface Turned {
  readonly cause: string;
  readonly what: string;
}

const OF_TLS: Readonly<Record<string, PhoneProblem>> = {
  'server untrusted': 'trust',
  left: 'trust',
  'left after it': 'trust',
  'server name': 'name',
  'server expired': 'clock',
  'no TLS': 'no TLS',
  'plain HTTP': 'no TLS',
  'no client certificate': 'certificate',
  'client untrusted': 'certificate',
  revoked: 'certificate',
};

/** problemOf sorts a refusal. A wrong password may as well be one of an account that was removed: whoever knows says 'removed' instead. */
export function problemOf({ cause, what }: Turned): PhoneProblem {
  switch (cause) {
    case 'tls':
      return OF_TLS[what] ?? 'other';
    case 'credentials':
      return 'password';
    case 'held':
      return 'held';
    case 'topic':
      return 'rules';
    default:
      return 'other';
  }
}

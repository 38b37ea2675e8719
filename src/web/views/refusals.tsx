// Who was turned away or hears nothing, why, and what to do about it.

import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Badge, Card } from '../components/card.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { ago, dateTime, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { adviceWords, reasonWords } from '../refusal-words.ts';
import { isOffered, linkTo } from '../router.ts';

type Why = Answer<'/api/v1/why'>;

const EVERY_MS = 3000;

/** Refusals shows them all, or those about a client, a user or an address. */
export function Refusals({ about }: { readonly about?: string }) {
  const query = about === undefined ? {} : { about };
  const why = useLive(() => ask(api.GET('/api/v1/why', { params: { query } })), EVERY_MS, [about]);
  return (
    <Card title={t('refusals.title')}>
      <Shown live={why}>{(data) => <List why={data} />}</Shown>
    </Card>
  );
}

function List({ why: { refusals, held, deaf } }: { readonly why: Why }) {
  const latest = refusals.toSorted((one, other) => other.last - one.last);
  const restless = latest.filter(isRestless);
  const refused = latest.filter((each) => !isRestless(each));
  const calm = refused.filter(isCalm);
  const isNone = refused.length + held.length + deaf.length === 0;
  return (
    <>
      {isNone ? (
        <Empty icon="check" words={t('refusals.none')} />
      ) : (
        <Open refusals={refused.filter((each) => !isCalm(each))} held={held} deaf={deaf} />
      )}
      {restless.length > 0 && (
        <>
          <h3>{t('refusals.restless')}</h3>
          <ul class="reasons">
            {restless.map((each) => (
              <Reason key={keyOf(each)} {...factsOf(each)} badge={null} />
            ))}
          </ul>
        </>
      )}
      {calm.length > 0 && (
        <details class="calm-reasons">
          <summary>
            {plural(
              'refusals.calm',
              calm.reduce((sum, { count }) => sum + count, 0),
            )}
          </summary>
          <ul class="reasons">
            {calm.map((each) => (
              <Reason key={keyOf(each)} {...factsOf(each)} advice={calmAdvice(each)} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** It was let in each time. */
function isRestless({ cause }: Why['refusals'][number]): boolean {
  return cause === 'flapping';
}

/** Nothing is to be done: it came in since, the rules allow it now, or is a browser whose person goes on past the warning. */
function isCalm({ settled, isBrowser }: Why['refusals'][number]): boolean {
  return settled !== null || isBrowser;
}

function calmAdvice({ cause, settled, topicName, adviceCode, clientId, username }: Why['refusals'][number]): string {
  if (settled === null) return t('refusals.browser');
  if (topicName !== null) return t('refusals.allowed');
  if (adviceCode === 'unlock' || adviceCode === 'enable client') return t('refusals.letIn');
  if (cause === 'page') return t('refusals.settledPage', { time: ago(settled) });
  return t(username === null && clientId === '' ? 'refusals.settledThere' : 'refusals.settled', { time: ago(settled) });
}

function Open({ refusals, held, deaf }: Why) {
  if (refusals.length + held.length + deaf.length === 0) return <Empty icon="check" words={t('refusals.noneOpen')} />;
  return (
    <ul class="reasons">
      {held.map(({ address, username, failures, until }) => (
        <Reason
          key={`held ${address} ${username}`}
          who={username ?? t('refusals.anyUser')}
          from={address ?? t('refusals.anywhere')}
          badge={t('refusals.held')}
          words={plural('refusals.heldWords', failures, { time: ago(until) })}
          {...(username !== null && isWithoutAccount(username, refusals)
            ? { advice: t('refusals.heldNoAccount'), link: toNewAccount(username) }
            : { advice: holdAdvice({ address, username }, refusals) })}
        />
      ))}
      {refusals.map((each) => (
        <Reason key={keyOf(each)} {...factsOf(each)} {...heldFacts(each, { refusals, held })} />
      ))}
      {deaf.map(({ clientId, username, topicFilter, advice }) => (
        <Reason
          key={`deaf ${clientId} ${topicFilter}`}
          who={clientId}
          from={username ?? t('clients.nobody')}
          badge={t('refusals.deaf')}
          words={t('refusals.deafWords', { filter: topicFilter })}
          advice={advice === null ? null : t('refusals.deafAdvice', { filter: topicFilter })}
          link={username === null ? null : toPerson(username)}
        />
      ))}
    </ul>
  );
}

function isWithoutAccount(username: string, refusals: Why['refusals']): boolean {
  return refusals.some((each) => each.username === username && each.adviceCode === 'new account');
}

/** The latest wrong password tells whether a device is to be put right. */
function holdAdvice(hold: Pick<Why['held'][number], 'address' | 'username'>, refusals: Why['refusals']): string {
  const latest = refusals.find((each) => isOfHold(hold, each));
  return (latest?.cause === 'page' ? adviceWords(latest) : null) ?? t('refusals.heldAdvice');
}

/** A hold may be of the user, of the address, or of both. */
function isOfHold(hold: Pick<Why['held'][number], 'address' | 'username'>, { address, username }: Why['refusals'][number]): boolean {
  return [null, address].includes(hold.address) && [null, username].includes(hold.username);
}

function heldFacts(refusal: Why['refusals'][number], { refusals, held }: Pick<Why, 'refusals' | 'held'>): Partial<ReasonProps> {
  const { adviceCode, username } = refusal;
  const link = linkFor(refusal);
  if (adviceCode !== 'held') return { link };
  if (username !== null && isWithoutAccount(username, refusals))
    return { advice: t('refusals.heldNoAccount'), link: toNewAccount(username) };
  const ends = held.flatMap((hold) => (isOfHold(hold, refusal) ? [hold.until] : []));
  return ends.length === 0 ? { link } : { advice: t('advice.heldUntil', { time: ago(Math.max(...ends)) }), link };
}

function keyOf({ cause, address, clientId, username, topicName, reason }: Why['refusals'][number]): string {
  return [cause, address, clientId, username, topicName, reason].join(' ');
}

function factsOf(refusal: Why['refusals'][number]) {
  const { address, count, last } = refusal;
  const from = address === '' ? t('clients.unixSocket') : address;
  const badge = count > 1 ? plural('refusals.times', count) : null;
  return { who: whoOf(refusal), from, badge, ...wordsFor(refusal), at: last, since: ago(last) };
}

/** Who came with a certificate that is refused never said a client id, but it has a name. */
function whoOf({ clientId, username, values: { name = t('refusals.unknown') } }: Why['refusals'][number]): string {
  if (username === null) return clientId === '' ? String(name) : clientId;
  return clientId === '' ? username : `${clientId} (${username})`;
}

/** A box that is newer than this page may know reasons that the page has no words for. */
function wordsFor(told: Why['refusals'][number]): Pick<ReasonProps, 'words' | 'advice' | 'isEnglish'> {
  const words = reasonWords(told);
  return words === null ? { words: told.reason, advice: told.advice, isEnglish: true } : { words, advice: adviceWords(told) };
}

interface Link {
  readonly view: string;
  readonly rest?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly words: string;
}

/** The advice is of the time of the refusal: who had no account then may have one now, and the view of people knows that. */
function linkFor({ cause, username: name, adviceCode }: Why['refusals'][number]): Link | null {
  if (name === null)
    return adviceCode === 'held' ? { view: 'settings', query: { find: 'login_throttle_exempt' }, words: t('refusals.toSettings') } : null;
  const toPassword = { view: 'people', rest: [name], query: { password: '' }, words: t('refusals.toPassword', { name }) };
  switch (adviceCode) {
    case 'new account':
      return toNewAccount(name);
    case 'no password file':
      return { view: 'settings', words: t('refusals.toSettings') };
    case 'unlock':
      return { view: 'people', rest: [name], query: { unlock: '' }, words: t('refusals.toUnlock', { name }) };
    case 'new client':
    case 'enable client':
    case 'client password':
      return { view: 'people', words: t('refusals.toClients') };
    case 'held':
    case 'page password':
      return toPassword;
    case 'page user':
      return null;
    default:
      if (cause === 'credentials') return toPassword;
      return toPerson(name);
  }
}

/** What comes without an account is a device more often than a person. */
function toNewAccount(name: string): Link {
  return { view: 'people', query: { add: name, kind: 'device' }, words: t('people.addThis', { name }) };
}

function toPerson(name: string): Link {
  return { view: 'people', rest: [name], words: t('refusals.toPerson', { name }) };
}

interface ReasonProps {
  readonly who: string;
  readonly from: string;
  readonly badge: string | null;
  readonly words: string;
  readonly advice: string | null;
  /** Both are the words of the box, whatever the language of the page. */
  readonly isEnglish?: boolean;
  readonly at?: number;
  /** That time in words. They are given, for who is given the same as before is not rendered again. */
  readonly since?: string;
  /** Where it can be put right; null = no account has to do with it. */
  readonly link?: Link | null;
}

function Reason({ who, from, badge, words, advice, isEnglish = false, at, since, link = null }: ReasonProps) {
  return (
    <li>
      <p class="reason-head">
        <strong>{who}</strong> <span class="quiet">{from}</span> {badge !== null && <Badge look="warn">{badge}</Badge>}
        {at !== undefined && (
          <span class="hint reason-time" title={dateTime(at)}>
            {since}
          </span>
        )}
      </p>
      <div lang={isEnglish ? 'en' : undefined}>
        <p>{words}</p>
        {advice !== null && <p class="hint">{advice}</p>}
      </div>
      {link !== null && isOffered(link.view) && (
        <p>
          <a href={linkTo(link.view, link.rest, link.query)}>{link.words}</a>
        </p>
      )}
    </li>
  );
}

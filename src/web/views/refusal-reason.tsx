// One row of what was refused: who, from where, why, and what to do about it.

import type { ComponentChildren } from 'preact';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge } from '../components/card.tsx';
import { Trouble } from '../components/faces.tsx';
import { toast } from '../components/toast.tsx';
import { ago, dateTime, type Key, plural, t } from '../i18n.ts';
import { type Held, type HeldRow, isSecret, isUnseen, type Refused, type RefusedRow } from '../refusal-rows.ts';
import { adviceWords, reasonWords, whoIn } from '../refusal-words.ts';
import { isOffered, linkTo } from '../router.ts';
import { useSending } from '../sending.ts';
import { mayNow } from '../visit.ts';
import { linkFor, linkForHold, type RefusalLink } from './refusal-links.ts';

interface PlainReasonProps extends Partial<Pick<ReasonProps, 'badge' | 'advice' | 'link'>> {
  readonly row: RefusedRow;
}

/** PlainReason is one that nothing holds; a badge and advice that are given stand in the place of its own. */
export function PlainReason({ row, ...given }: PlainReasonProps) {
  const { refusal, count } = row;
  const badge = count > 1 ? plural('refusals.times', count) : null;
  return <Reason {...factsOf(refusal)} who={whoIn(row)} badge={badge} {...given} />;
}

interface HeldReasonProps {
  readonly row: HeldRow;
  readonly ended: () => void;
}

/** HeldReason is one whose logins are refused unseen for a while. */
export function HeldReason({ row, ended }: HeldReasonProps) {
  const { refusal, held } = row;
  const { address, username, failures, until } = held;
  const hold = plural('refusals.heldWords', failures, { time: ago(until) });
  const facts = refusal === null ? holdFacts(held) : factsOf(refusal);
  const isOwnReason = refusal !== null && !isUnseen(refusal);
  return (
    <Reason
      {...facts}
      who={whoIn(row)}
      badge={t('refusals.held')}
      words={isOwnReason ? `${facts.words} ${hold}` : hold}
      advice={refusal === null ? facts.advice : heldAdvice(refusal)}
      link={refusal === null ? linkForHold(held) : linkFor(refusal)}
    >
      {mayNow('admin') && refusal?.adviceCode !== 'new account' && <EndHold address={address} username={username} ended={ended} />}
    </Reason>
  );
}

function holdFacts({ address, username }: Held) {
  return { from: address ?? t('refusals.anywhere'), words: '', advice: t(adviceOf(address, username)) };
}

function adviceOf(address: string | null, username: string | null): Key {
  if (username === null) return 'refusals.heldAddressAdvice';
  if (isSecret(username)) return 'refusals.heldSecretAdvice';
  return address === null ? 'refusals.heldUserAdvice' : 'refusals.heldAdvice';
}

/** A new account and a new password end the hold, too. */
function heldAdvice(refusal: Refused): string | null {
  if (refusal.adviceCode === 'new account') return t('refusals.heldNoAccount');
  return refusal.adviceCode === 'new password' || refusal.adviceCode === 'held' ? t('refusals.heldAdvice') : adviceWords(refusal);
}

function EndHold({ address, username, ended }: Pick<Held, 'address' | 'username'> & Pick<HeldReasonProps, 'ended'>) {
  const { isBusy, problem, send } = useSending();
  const who = username === null || isSecret(username) ? (address ?? '') : username;
  const end = async () => {
    const query = { ...(address === null ? {} : { address }), ...(username === null ? {} : { username }) };
    await ask(api.DELETE('/api/v1/throttle', { params: { query } }));
    toast(t('refusals.holdEnded', { name: who }));
    ended();
  };
  return (
    <>
      <Button isBusy={isBusy} onClick={() => send(end)}>
        {t('refusals.endHold', { name: who })}
      </Button>
      {problem !== null && <Trouble problem={problem} />}
    </>
  );
}

function factsOf(refusal: Refused) {
  const { address, last } = refusal;
  const from = address === '' ? t('clients.unixSocket') : address;
  return { from, ...wordsFor(refusal), at: last, since: ago(last) };
}

/** A box that is newer than this page may know reasons that the page has no words for. */
function wordsFor(told: Refused): Pick<ReasonProps, 'words' | 'advice' | 'isEnglish'> {
  const words = reasonWords(told);
  return words === null ? { words: told.reason, advice: told.advice, isEnglish: true } : { words, advice: adviceWords(told) };
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
  readonly link?: RefusalLink | null;
  /** What can be done right here. */
  readonly children?: ComponentChildren;
}

/** Reason is one row. */
export function Reason({ who, from, badge, words, advice, isEnglish = false, at, since, link = null, children }: ReasonProps) {
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
      {children}
    </li>
  );
}

// The settings as a form: what each means, what it is without a word about it, and what it is now.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Badge } from '../../components/card.tsx';
import { Check } from '../../components/check.tsx';
import { Empty } from '../../components/faces.tsx';
import { Select } from '../../components/field.tsx';
import { SearchBox } from '../../components/search-box.tsx';
import { type Key, number, plural, t } from '../../i18n.ts';
import { place } from '../../router.ts';
import type { Draft } from '../../settings/draft.ts';
import { SECTION_NAMES } from '../../settings/section-names.ts';
import {
  codeIn,
  controlOf,
  findSettings,
  hasDefaultListener,
  hasWords,
  inBaseUnit,
  isOfDefaultListener,
  type Known,
  listenersIn,
  mistakesOf,
  ownPort,
  pagePorts,
  valuesOf,
  type Worded,
} from '../../settings/setting-form.ts';
import { inWords } from '../../settings/setting-words.ts';
import { ListenerPort } from './listener-port.tsx';
import { SettingRow } from './setting-row.tsx';

/** A field is set when nothing was typed into it for so long. */
const TYPING_MS = 400;

/** '' = the whole program. */
const WHOLE = '';

/** The listener that no `listener` line begins. */
const DEFAULT = 'default';

/** SettingsForm shows the settings of the whole program, or of one listener. */
export function SettingsForm({ draft }: { readonly draft: Draft }) {
  const [words, setWords] = useState(place.value.query.get('find') ?? '');
  const [listener, setListener] = useState(WHOLE);
  const [onlySet, setOnlySet] = useState(false);
  const said = draft.said.value;
  const sought = words.trim();
  const known = inWords(draft.known.value);
  const hasDefault = hasDefaultListener(known, said);
  const listeners = [...(hasDefault ? [DEFAULT] : []), ...listenersIn(said)];
  const chosen = listeners.includes(listener) ? listener : WHOLE;
  const isIn = (each: Known, block: string) => {
    if (block === WHOLE) return each.scope !== 'listener' && !(hasDefault && isOfDefaultListener(each));
    return block === DEFAULT ? isOfDefaultListener(each) : each.scope === 'listener';
  };
  const pages = pagePorts(said);
  const isPortSought = (block: string) =>
    blockName(block) !== null &&
    !onlySet &&
    hasWords(`listener ${t('settings.port')} ${block} ${pages.includes(block) ? t('settings.portPage') : ''}`, sought);
  const found = findSettings(known, sought);
  const isInPart = !found.hasAll && ![DEFAULT, ...listeners].some(isPortSought);
  const isFitting = (each: Worded) => (found.hasAll || isInPart) && found.fits(each);
  const fittingIn = (block: string) =>
    known.filter((each) => isIn(each, block) && (!onlySet || valuesOf(each, said, blockName(block)).length > 0) && isFitting(each));
  const blockWords = (block: string) => {
    if (block === WHOLE) return t('settings.whole');
    if (block === DEFAULT) return t('settings.listenerDefault');
    return t(pages.includes(block) && block === ownPort(location) ? 'settings.listenerPage' : 'settings.listener', { name: block });
  };
  const shown = fittingIn(chosen);
  const places = (sought === '' ? [] : [WHOLE, ...listeners]).flatMap((block) => {
    const count = fittingIn(block).length + (isPortSought(block) ? 1 : 0);
    return count > 0 ? [{ block, count }] : [];
  });
  const sections = [...new Set(shown.map(({ section }) => section))];
  return (
    <section class="card settings-form" aria-label={t('settings.form')}>
      <div class="settings-tools">
        <SearchBox label={t('settings.search')} value={words} change={setWords} />
        {listeners.length > 0 && (
          <Select
            label={t('settings.of')}
            value={chosen}
            choose={setListener}
            options={[WHOLE, ...listeners].map((block) => [block, blockWords(block)] as const)}
          />
        )}
        <Check label={t('settings.onlySet')} isOn={onlySet} turn={setOnlySet} />
      </div>
      {places.some(({ block }) => block !== chosen) && (
        <fieldset class="found-in">
          <legend>{t('settings.foundIn')}</legend>
          {places.map(({ block, count }) => (
            <button key={block} type="button" class="link" aria-pressed={block === chosen} onClick={() => setListener(block)}>
              {blockWords(block)} ({number(count)})
            </button>
          ))}
        </fieldset>
      )}
      {isInPart && places.length > 0 && <p class="hint">{t('settings.foundInPart')}</p>}
      {isPortSought(chosen) && <ListenerPort key={chosen} draft={draft} listener={chosen} moved={setListener} />}
      {shown.length === 0 && !isPortSought(chosen) && places.length === 0 && <Empty icon="sliders" words={t('settings.noneFound')} />}
      {sections.map((section) => (
        <SettingSection key={`${section} ${chosen}`} title={sectionName(section)} isOpen={words !== '' || onlySet || sections.length === 1}>
          {shown
            .filter((each) => each.section === section)
            .map((each) => (
              <Setting key={each.name} known={each} draft={draft} listener={blockName(chosen)} />
            ))}
        </SettingSection>
      ))}
    </section>
  );
}

/** As the box names blocks: null = the whole program. */
function blockName(block: string): string | null {
  return block === WHOLE || block === DEFAULT ? null : block;
}

/** A box that is newer than this page may have sections that the page has no words for. */
function sectionName(title: string): string {
  const names: Readonly<Record<string, Key>> = SECTION_NAMES;
  const key = names[title];
  return key === undefined ? title : t(key);
}

interface SettingSectionProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly children: preact.ComponentChild[];
}

function SettingSection({ title, isOpen, children }: SettingSectionProps) {
  return (
    <details class="setting-section" open={isOpen}>
      <summary>
        <span>{title}</span>
        <span class="hint">{plural('settings.count', children.length)}</span>
      </summary>
      {children}
    </details>
  );
}

interface SettingProps {
  readonly known: Known;
  readonly draft: Draft;
  readonly listener: string | null;
}

function Setting({ known, draft, listener }: SettingProps) {
  const { name, syntax, meaning, isReloadable, isOwn } = known;
  const [problem, setProblem] = useState<Error | null>(null);
  const id = useId();
  const values = valuesOf(known, draft.said.value, listener);
  const read = { said: draft.said.value, mistakes: draft.checked.value?.mistakes ?? [], file: draft.current.value?.file ?? '' };
  const set = async (next: readonly string[]) => {
    setProblem(null);
    try {
      await draft.set(name, next, listener);
    } catch (error) {
      setProblem(error as Error); // ask throws nothing else
      await draft.typedNothing();
    }
  };
  return (
    <SettingRow
      id={id}
      label={name}
      hint={codeIn(meaning).map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part))}
      marks={
        <>
          {syntax === 'seconds' && <Badge look="quiet">{t('settings.inSeconds')}</Badge>}
          {syntax === 'bytes' && <Badge look="quiet">{t('settings.inBytes')}</Badge>}
          {!isReloadable && <Badge look="quiet">{t('settings.nextStart')}</Badge>}
          {isOwn && <Badge look="quiet">{t('settings.own')}</Badge>}
        </>
      }
      isSet={values.length > 0}
      problem={problem}
      mistakes={mistakesOf(known, read, listener)}
    >
      <SettingControl id={id} known={known} values={values} set={set} draft={draft} />
      {values.length > 0 && (
        <button type="button" class="link" onClick={() => void set([])}>
          {t('settings.reset')}
        </button>
      )}
    </SettingRow>
  );
}

interface SettingControlProps {
  readonly id: string;
  readonly known: Known;
  readonly values: readonly string[];
  readonly set: (values: readonly string[]) => Promise<void>;
  readonly draft: Draft;
}

function SettingControl({ id, known, values, set, draft }: SettingControlProps) {
  const control = controlOf(known);
  const value = values[0] ?? '';
  const typed = useTyping(draft, values.join('\n'), (text) => {
    const typedLines = (control.kind === 'list' ? text.split('\n') : [text]).map((line) => line.trim());
    const lines = typedLines.filter((line) => line !== '').map((line) => inBaseUnit(known, line));
    return lines.length === 0 && known.isSecret ? draft.typedNothing() : set(lines);
  });
  const none = known.default === null ? t('settings.noDefault') : t('settings.default', { value: known.default });
  const common = { id, 'aria-describedby': `${id}-hint` };
  if (control.kind === 'choice') {
    return (
      <select {...common} value={value} onChange={(event) => void set(event.currentTarget.value === '' ? [] : [event.currentTarget.value])}>
        <option value="">{none}</option>
        {control.values.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    );
  }
  if (control.kind === 'list') {
    return (
      <textarea
        {...common}
        rows={Math.max(2, values.length)}
        placeholder={`${none}\n${t('settings.listHint')}`}
        spellcheck={false}
        {...typed}
      />
    );
  }
  return (
    <input
      {...common}
      type={(known.isSecret ? 'password' : 'text') as 'text'} // Preact's types know each kind of input apart
      inputMode={control.kind === 'number' ? 'numeric' : 'text'}
      placeholder={known.isSecret && values.length > 0 ? t('settings.secretSet') : none}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      {...typed}
    />
  );
}

type Field = HTMLInputElement | HTMLTextAreaElement;

/** useTyping shows what somebody types until the field is left: what the box says meanwhile does not overtake the fingers. */
function useTyping(draft: Draft, shown: string, set: (text: string) => Promise<void>) {
  const [typed, setTyped] = useState<string | null>(null);
  const waiting = useRef<{ readonly text: string; readonly timer: ReturnType<typeof setTimeout> } | null>(null);
  const running = useRef(Promise.resolve());
  const latest = useRef(set);
  latest.current = set;
  const stop = () => {
    clearTimeout(waiting.current?.timer);
    waiting.current = null;
  };
  const take = (text: string) => {
    stop();
    running.current = latest.current(text);
  };
  const flush = () => {
    if (waiting.current !== null) take(waiting.current.text);
  };
  useEffect(() => flush, []);
  return {
    value: typed ?? shown,
    onInput: (event: preact.TargetedEvent<Field>) => {
      const text = event.currentTarget.value;
      stop();
      setTyped(text);
      draft.typing();
      waiting.current = { text, timer: setTimeout(flush, TYPING_MS) };
    },
    onChange: (event: preact.TargetedEvent<Field>) => take(event.currentTarget.value),
    onBlur: async () => {
      flush();
      await running.current;
      setTyped((now) => (now === typed ? null : now));
    },
  };
}

// The topics of a bridge, each with its direction.

import { Field, Select } from '../../components/field.tsx';
import { number, t } from '../../i18n.ts';
import { DIRECTIONS } from './directions.ts';
import { type Direction, isWholeLine, NEW_LINE, type TopicLine } from './topic-line.ts';

/** As they stand in the list. */
const OPTIONS = Object.keys(DIRECTIONS) as Direction[]; // its keys

interface TopicLinesProps {
  readonly topics: readonly TopicLine[];
  readonly change: (topics: readonly TopicLine[]) => void;
}

/** TopicLines has an empty line behind them for one more; one that is emptied goes, but not the only one. */
export function TopicLines({ topics, change }: TopicLinesProps) {
  const lines = topics.at(-1)?.filter === '' ? topics : [...topics, NEW_LINE];
  return (
    <fieldset class="topic-lines">
      <legend>{t('bridges.topics')}</legend>
      {lines.map((line, index) => {
        const place = { number: number(index + 1) };
        const set = (next: Partial<TopicLine>) => change(lines.with(index, { ...line, ...next, text: null }));
        return (
          // what stands in it is what is typed
          <div key={index} class="bridge-topic">
            <Field
              label={t('bridges.topicNumber', place)}
              name={`topics.${index}`}
              value={line.filter}
              change={(filter) => set({ filter })}
              required={lines.length === 1}
              hint={hintFor(line, index)}
            />
            {line.filter.trim() !== '' && !isWholeLine(line) && (
              <Select
                label={t('bridges.directionNumber', place)}
                value={line.direction}
                choose={(direction) => set({ direction })}
                options={OPTIONS.map((each) => [each, t(DIRECTIONS[each])])}
              />
            )}
          </div>
        );
      })}
      {topics.some(({ text }) => text !== null) && <p class="hint">{t('bridges.topicLinesHint')}</p>}
    </fieldset>
  );
}

function hintFor({ rest }: TopicLine, index: number): string | undefined {
  if (!/^[012]?$/.test(rest)) return t('bridges.topicRest', { rest });
  return index === 0 ? t('bridges.topicHint') : undefined;
}

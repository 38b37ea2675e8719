// The numbers that a topic held, over time.

import { useState } from 'preact/hooks';
import { Chart } from '../../components/chart.tsx';
import { Select } from '../../components/field.tsx';
import { number, t } from '../../i18n.ts';
import { numbersIn } from '../../topics/payload.ts';
import type { Past } from '../../topics/topic-tree.ts';

/** ValueChart is nothing where a topic holds no numbers; of several in one message, somebody chooses. */
export function ValueChart({ past: all }: { readonly past: readonly Past[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const past = all.flatMap(({ at, payload }) => (payload === null ? [] : [{ at, payload }]));
  const numbers = past.map(({ payload }) => numbersIn(payload));
  const fields = [...new Set(numbers.slice(-10).flatMap((each) => [...each.keys()]))];
  const field = chosen !== null && fields.includes(chosen) ? chosen : fields[0];
  if (field === undefined) return null;
  const values = numbers.map((each) => each.get(field) ?? null);
  if (values.filter((each) => each !== null).length === 1) return <p class="hint">{t('topics.chartComes')}</p>;
  const name = field === '' ? t('topics.value') : field;
  return (
    <>
      {fields.length > 1 && (
        <Select label={t('topics.chartField')} value={field} choose={setChosen} options={fields.map((each) => [each, each])} />
      )}
      <Chart
        name={t('topics.chart', { name })}
        times={past.map(({ at }) => at / 1000)}
        lines={[{ name, values }]}
        isFromZero={false}
        isStepped={values.every((each) => each === null || each === 0 || each === 1)}
        write={(value) => number(value, 2)}
      />
    </>
  );
}

// What the box says of a text of the configuration: its mistakes, or its warnings.

import { BoxSentence } from '../../components/box-sentence.tsx';
import { t } from '../../i18n.ts';
import { type Remark, remarkIn } from '../../settings/setting-form.ts';

export interface RemarksProps {
  readonly look: 'bad' | 'warn';
  readonly remarks: readonly string[];
  /** The file that is edited. */
  readonly file: string;
  /** Shows a line of it; absent where the text is not on the screen. */
  readonly goTo?: ((line: number) => void) | undefined;
}

/** Remarks lists them. */
export function Remarks({ look, remarks, file, goTo }: RemarksProps) {
  if (remarks.length === 0) return null;
  return (
    <ul class={`remarks ${look}`}>
      {remarks.map((remark) => (
        <li key={remark}>
          <OneRemark remark={remarkIn(remark, file)} goTo={goTo} />
        </li>
      ))}
    </ul>
  );
}

function OneRemark({ remark: { line, elsewhere, words }, goTo }: { readonly remark: Remark } & Pick<RemarksProps, 'goTo'>) {
  if (line === null) {
    return (
      <>
        {elsewhere !== '' && <code>{elsewhere}</code>} <BoxSentence text={words} />
      </>
    );
  }
  const said = (
    <>
      {t('settings.line', { line })} <BoxSentence text={words} />
    </>
  );
  if (goTo === undefined) return said;
  return (
    <button type="button" class="link" onClick={() => goTo(line)}>
      {said}
    </button>
  );
}

// QR codes (ISO/IEC 18004) of a link, for a page and for a terminal.

import { renderSVG, renderUnicodeCompact } from 'uqr';

/** Light modules around it: ISO/IEC 18004 asks for four. */
const QUIET_ZONE = 4;

/** White on black, whatever the colours of the terminal are: not every camera reads a code with its colours the other way round. */
const WHITE_ON_BLACK = '\u001b[97;40m';
const AS_BEFORE = '\u001b[0m';

/** qrSvg draws it black on white, with its quiet zone, in any size. */
export function qrSvg(text: string): string {
  return renderSVG(text, { border: QUIET_ZONE, pixelSize: 1 });
}

/** qrText draws it with half blocks, two rows of modules in a line; `colours` = the terminal obeys ANSI codes. */
export function qrText(text: string, { colours }: { readonly colours: boolean }): string {
  const lines = renderUnicodeCompact(text, { border: QUIET_ZONE / 2 }).split('\n');
  return lines.map((line) => (colours ? `${WHITE_ON_BLACK}${line}${AS_BEFORE}` : line)).join('\n');
}

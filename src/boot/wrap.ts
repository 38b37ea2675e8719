// Long sentences on a screen of 80 columns, where the console would break a word at the last one.

/** wrapLine breaks a line between its words so that no line is longer than `width`; a word that is longer stays whole. Null = no line is too long. */
export function wrapLine(line: string, width: number | null): string[] {
  if (width === null || line.length <= width) return [line];
  const lines: string[] = [];
  let rest = '';
  for (const word of line.split(' ')) {
    const longer = rest === '' ? word : `${rest} ${word}`;
    if (longer.length <= width || rest === '') rest = longer;
    else {
      lines.push(rest);
      rest = word;
    }
  }
  return [...lines, rest];
}

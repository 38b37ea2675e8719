// Cuts the section of a version out of CHANGELOG.md: the notes of a release.

/** releaseNotes gives the lines below `## VERSION`, with the heading; throws when there is no such section, or nothing in it. */
export function releaseNotes(changelog: string, version: string): string {
  const lines = changelog.split('\n');
  const isHeading = (line: string) => line.startsWith('## ');
  const start = lines.findIndex(
    (line) =>
      isHeading(line) &&
      line
        .slice(3)
        .replace(/^\[|\]/g, '')
        .split(' ')[0] === version,
  );
  if (start === -1)
    throw new Error(
      `Cannot release ${version}: CHANGELOG.md has no heading "## ${version}" - name what is in "## Unreleased" so, with the date behind it`,
    );
  const length = lines.slice(start + 1).findIndex(isHeading);
  const text = lines
    .slice(start, length === -1 ? undefined : start + 1 + length)
    .join('\n')
    .trim();
  if (!text.includes('\n')) throw new Error(`Cannot release ${version}: CHANGELOG.md says nothing about it`);
  return `${text}\n`;
}

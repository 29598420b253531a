/** What went wrong in one line that may be published: no stack, and no path of this machine. */
export function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [first = 'unknown'] = lines;
  const cause = lines.slice(1).find((line) => /\b(?:error|cannot|failed)\b/i.test(line) || /^\w*Error\b/.test(line));
  return withoutPaths(cause === undefined ? first : `${first} ${cause}`);
}

export function withoutPaths(text: string): string {
  return text.replaceAll(/(?:file:\/\/)?(?:\/[\w.@+-]+){2,}/g, (path) => path.slice(path.lastIndexOf('/') + 1));
}

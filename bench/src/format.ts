const PREFIXES = ['', 'k', 'M', 'G'] as const;

/** Three significant digits; bytes in MB or kB. */
export function formatValue(value: number, unit: string): string {
  if (unit === 'B') {
    return Math.abs(value) < 1e6 ? `${formatNumber(value / 1e3)} kB` : `${formatNumber(value / 1e6)} MB`;
  }
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return '–';
  }
  const size = Math.abs(value);
  if (size >= 100_000) {
    const power = Math.min(PREFIXES.length - 1, Math.floor(Math.log10(size) / 3));
    return `${Number((value / 1000 ** power).toPrecision(3))} ${PREFIXES[power]}`;
  }
  return size >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

export function formatSpread(spread: number): string {
  return `±${Math.round(spread * 50)} %`;
}

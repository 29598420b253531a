/** What the samples of one metric say. */
export interface Summary {
  readonly samples: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** (max − min) / median: how far repeats of the same thing lay apart. */
  readonly spread: number;
}

export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) {
    throw new RangeError('no samples');
  }
  const median = quantile(samples, 0.5);
  const min = Math.min(...samples);
  const max = Math.max(...samples);
  return { samples, median, min, max, spread: median === 0 ? 0 : (max - min) / Math.abs(median) };
}

/** Linear between neighbours. */
export function quantile(samples: readonly number[], share: number): number {
  const ordered = [...samples].sort((one, other) => one - other);
  const place = (ordered.length - 1) * share;
  const low = ordered[Math.floor(place)] ?? Number.NaN;
  const high = ordered[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * The candidate that every gateway picks for this key (highest random weight). Without any state, a key stays where it is while its
 * candidate lives, and only the keys of one that left move.
 */
export function rendezvous(key: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const candidate of candidates) {
    const weight = weightOf(key, candidate);
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && candidate < best)) {
      best = candidate;
      bestWeight = weight;
    }
  }
  return best;
}

// FNV-1a over both strings, then an avalanche step: FNV alone leaves the high bits of similar ids alike. Fast, because it runs for every
// candidate on every call; nobody gains by steering it, since ids are given out by the control-api.
function weightOf(key: string, candidate: string): number {
  let hash = 0x811c9dc5;
  for (const text of [key, candidate]) {
    for (let at = 0; at < text.length; at += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

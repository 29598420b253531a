/** Peers that are Jetbridge or a part of it, by their names. */
export function isOwnPeer(name: string): boolean {
  return /^(?:mesh|worker|relay-mesh|engine$)/.test(name);
}

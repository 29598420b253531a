/** The only application protocol a tunnel listener and a tunnel dialer agree on. Apart from tunnel.ts, so that a TLS policy can name it without loading protobuf. */
export const TUNNEL_ALPN = 'jetbridge-tunnel/1';

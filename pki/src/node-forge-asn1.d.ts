// node-forge's ASN.1 alone: its own declarations cover only the whole library, and know an older signature of fromDer.
declare module 'node-forge/lib/asn1.js' {
  import type forge from 'node-forge';

  interface FromDerOptions {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    readonly decodeBitStrings: boolean;
    readonly maxDepth: number;
  }

  const asn1: Omit<typeof forge.asn1, 'fromDer'> & { fromDer(bytes: string, options: FromDerOptions): forge.asn1.Asn1 };
  export default asn1;
}

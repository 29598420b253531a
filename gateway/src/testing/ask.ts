import { decodeGrpcMessage } from '@jetbridge/proto/status-grpc';
import { type Answer, answered, call, type Mesh } from './mesh.ts';

/** One whole call on a connection of its own. */
export async function ask(mesh: Mesh, method: string, body: Buffer | undefined, headers?: Record<string, string>): Promise<Answer> {
  const stream = call(mesh.connectClient(), method, headers);
  stream.end(body);
  return answered(stream);
}

/** The gRPC status, wherever it stands. */
export function statusOf({ headers, trailers }: Answer): string {
  return String(trailers?.['grpc-status'] ?? headers?.['grpc-status']);
}

export function messageOf({ headers, trailers }: Answer): string {
  return decodeGrpcMessage(String(trailers?.['grpc-message'] ?? headers?.['grpc-message'] ?? ''));
}

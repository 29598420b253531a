import { StatusError } from '@jetbridge/proto/status-error';

/** A route of the control-api below its base URL, which may have a path of its own. */
export function controlRoute(controlUrl: string, path: string): URL {
  const base = URL.canParse(controlUrl) ? new URL(controlUrl) : undefined;
  if (
    base === undefined ||
    base.protocol !== 'https:' ||
    base.username !== '' ||
    base.password !== '' ||
    base.search !== '' ||
    base.hash !== ''
  ) {
    throw new StatusError('invalid_argument', 'the control URL must look like https://host:port');
  }
  return new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base);
}

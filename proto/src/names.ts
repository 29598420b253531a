import { StatusError } from './status-error.ts';

// A DNS label (RFC 1123) in lower case, so a name can stand in host names and metric labels unchanged.
const RESOURCE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** True for the name of a worker, gateway or pool. Punycode is refused: such a name reads as other characters than it has. */
export function isResourceName(value: unknown): value is string {
  return typeof value === 'string' && RESOURCE_NAME.test(value) && !value.startsWith('xn--');
}

/** The value itself, or `invalid_argument` naming the field. */
export function requireResourceName(field: string, value: unknown): string {
  if (!isResourceName(value)) {
    throw new StatusError(
      'invalid_argument',
      `${field} must be 1 to 63 lower-case letters, digits or inner hyphens, and must not start with "xn--"`,
    );
  }
  return value;
}

import { PROBLEM_CONTENT_TYPE } from '@jetbridge/proto/status-http';
import { type Static, type TSchema, Type } from 'typebox';
import { DEFAULT_PAGE_ROWS, MAX_LABEL_CHARACTERS, MAX_LABELS, MAX_PAGE_ROWS } from '../limits.ts';

/** An object that refuses members it does not know: a misspelt option is told, not ignored. */
export function closedObject<Properties extends Record<string, TSchema>>(properties: Properties, description?: string) {
  return Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });
}

/** An array that the handlers may give and take as readonly. */
export function listOf<Item extends TSchema>(items: Item, options: { minItems?: number; maxItems?: number; description?: string } = {}) {
  return Type.Unsafe<readonly Static<Item>[]>(Type.Array(items, options));
}

// No control characters: neither logs, nor audit records, nor PostgreSQL want them.
export const PLAIN_TEXT = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$';

export function plainText(maxLength: number, description: string) {
  return Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT, description });
}

/** Lower-case DNS label, see `isResourceName` in proto. */
export function resourceName(description: string) {
  return Type.String({ minLength: 1, maxLength: 63, pattern: '^(?!xn--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$', description });
}

/** `host:port`, the host in brackets if it is an IPv6 address. */
export function hostAndPort(description: string) {
  return Type.String({
    maxLength: 262,
    pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]):[1-9][0-9]{0,4}$',
    description,
  });
}

export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' });

export const IdParams = closedObject({ id: Type.String({ minLength: 1, maxLength: 64, pattern: PLAIN_TEXT }) });

export const PageQuery = closedObject({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE_ROWS, default: DEFAULT_PAGE_ROWS, description: 'Rows at most' })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 256, pattern: PLAIN_TEXT, description: '`nextCursor` of the page before' })),
});

export const NextCursor = Type.Optional(Type.String({ description: 'Present when there are more; give it as `cursor`' }));

export const PrincipalSchema = Type.Object({
  id: Type.String({ description: '`prn_…`' }),
  name: Type.String(),
  kind: Type.Enum(['person', 'service']),
  roles: listOf(Type.Enum(['admin', 'member'])),
});

/** Free words about a worker or gateway, for people and later for placement. */
export const LabelsSchema = Type.Unsafe<Readonly<Record<string, string>>>(
  Type.Record(Type.String({ pattern: '^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$' }), plainText(MAX_LABEL_CHARACTERS, 'Value of the label'), {
    maxProperties: MAX_LABELS,
    additionalProperties: false,
  }),
);

export const GatewayAddressSchema = Type.Object({
  id: Type.String(),
  tunnelAddress: Type.String({ description: '`host:port`' }),
  serverName: Type.String({ description: 'The name to ask for in the TLS handshake' }),
});

const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Status code of the RPC vocabulary' }),
  },
  { description: 'Problem details, RFC 9457' },
);

const REASONS = {
  400: 'The request is malformed; `detail` names the field',
  401: 'No valid proof of identity',
  403: 'The identity may not do this',
  404: 'There is no such thing',
  409: 'It exists already',
  412: 'The state does not allow it',
  429: 'Too many attempts; `Retry-After` says how many seconds to wait',
  503: 'Not now; try again',
} as const;

type ProblemStatus = keyof typeof REASONS;

/** The problem answers of a route, for its `response` schema. */
export function problems<Status extends ProblemStatus>(...statuses: readonly Status[]) {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: REASONS[status], content: { [PROBLEM_CONTENT_TYPE]: { schema: ProblemSchema } } }]),
  );
}

/** The schema of an answer without a body. */
export const NoContent = Type.Null({ description: 'Done' });

export type PageQuery = Static<typeof PageQuery>;

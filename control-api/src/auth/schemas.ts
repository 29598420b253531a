import { Type } from 'typebox';
import { closedObject, listOf, PLAIN_TEXT, PrincipalSchema, plainText, Timestamp } from '../http/schemas.ts';
import { MAX_ACCESS_TOKEN_TTL_MS, MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS } from '../limits.ts';

const MAX_NAME_CHARACTERS = 128;

const Username = plainText(MAX_NAME_CHARACTERS, 'Name of a principal');
/** No pattern: what is wrong with a password is nobody's to learn. */
const Password = Type.String({
  minLength: 1,
  maxLength: MAX_PASSWORD_CHARACTERS,
  description: "A password, or one of the principal's access tokens",
});

export const SignInBody = closedObject({ username: Username, password: Password });

export const SignInAnswer = Type.Object({
  accessToken: Type.String({ description: '`jba_…`, shown once' }),
  expiresAt: Timestamp,
  principal: PrincipalSchema,
});

export const NewPrincipalBody = closedObject({
  name: Type.String({
    minLength: 1,
    maxLength: MAX_NAME_CHARACTERS,
    pattern: '^[a-z0-9]([a-z0-9._@+-]*[a-z0-9])?$',
    description: 'Lower case; an e-mail address will do',
  }),
  kind: Type.Enum(['person', 'service']),
  roles: listOf(Type.Enum(['admin', 'member']), { minItems: 1, maxItems: 2 }),
  password: Type.Optional(
    Type.String({ minLength: MIN_PASSWORD_CHARACTERS, maxLength: MAX_PASSWORD_CHARACTERS, description: 'Required for a person' }),
  ),
});

export const NewTokenBody = closedObject({
  name: plainText(MAX_NAME_CHARACTERS, 'What the token is for'),
  ttlS: Type.Optional(
    Type.Integer({ minimum: 60, maximum: MAX_ACCESS_TOKEN_TTL_MS / 1000, description: 'Seconds until it expires; 90 days without it' }),
  ),
  principalId: Type.Optional(
    Type.String({ pattern: '^prn_[0-9a-z]{26}$', description: 'A service account it is for (admin only); without it, the caller' }),
  ),
});

export const TokenView = Type.Object({
  id: Type.String({ description: '`tok_…`' }),
  principalId: Type.String(),
  name: Type.String(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
  lastUsedAt: Type.Optional(Type.String({ format: 'date-time', description: 'Good to five minutes' })),
  revokedAt: Type.Optional(Timestamp),
});

export const AuthenticateBody = Type.Union(
  [
    closedObject({
      basic: closedObject({ username: Username, password: Password }),
      clientAddress: Type.Optional(plainText(64, 'Where the client is')),
    }),
    closedObject({ bearer: Type.String({ minLength: 1, maxLength: 4096, pattern: PLAIN_TEXT, description: 'An access token' }) }),
  ],
  { description: 'Exactly one of `basic` and `bearer`' },
);

export const AuthenticateAnswer = Type.Object({
  principal: PrincipalSchema,
  expiresAt: Timestamp,
  sessionId: Type.Optional(Type.String({ description: '`ses_…`, when the token belongs to a session' })),
});

export const OpenSessionBody = closedObject({
  username: Username,
  password: Password,
  clientAddress: plainText(64, 'Where the client is'),
});

export const OpenSessionAnswer = Type.Object({
  accessToken: Type.String(),
  sessionId: Type.String(),
  expiresAt: Timestamp,
  principal: PrincipalSchema,
});

import type { Socket } from 'node:net';
import { type StatusCode, StatusError } from '@jetbridge/proto/status-error';
import { httpStatusOf, PROBLEM_CONTENT_TYPE, type Problem, problemOf } from '@jetbridge/proto/status-http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { statusOfDatabaseError } from '../database/errors.ts';
import type { ApiInstance } from './api-instance.ts';

/** Gives every failure of the server one shape: problem details (RFC 9457), whatever failed. */
export function answerWithProblems(app: ApiInstance): void {
  const methods = methodsByPath(app);
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods(request.url);
    if (allowed.length === 0) {
      return send(reply, problemOf(new StatusError('not_found', 'there is nothing at this path; the API is described at /docs')));
    }
    void reply.header('allow', allowed.join(', '));
    return send(reply, httpProblem('unimplemented', 405, 'Method not allowed', `this path answers ${allowed.join(', ')}`));
  });
}

/** For failures before a route was found, which Fastify does not pass to the error handler. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOfThrown(error);
  if (problem.status >= 500) {
    request.log.error({ err: error, route: request.routeOptions?.url }, 'request failed');
  }
  const retryAfterMs = error instanceof StatusError ? error.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) {
    void reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  }
  if (problem.status === 401) {
    void reply.header('www-authenticate', 'Bearer');
  }
  return send(reply, problem);
}

/** For bytes that are no HTTP request: there is no request to answer, only a socket. */
export function answerBrokenHttp(_error: Error, socket: Socket): void {
  const body = JSON.stringify(problemOf(new StatusError('invalid_argument', 'this is not an HTTP request that can be read')));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
}

function problemOfThrown(error: FastifyError): Problem {
  if (error.validation !== undefined) {
    return problemOf(new StatusError('invalid_argument', describeValidation(error.validation, error.validationContext ?? 'request')));
  }
  const status = error.statusCode;
  if (!(error instanceof StatusError) && status !== undefined && status >= 400 && status < 500) {
    return clientProblem(error, status);
  }
  return problemOf(statusOfDatabaseError(error));
}

type Validation = NonNullable<FastifyError['validation']>;

/** Names each field once with what it must be; never the value, which may be a secret. */
function describeValidation(failures: Validation, context: string): string {
  const byField = new Map<string, string>();
  for (const { instancePath, keyword, message, params } of failures) {
    if (keyword === 'boolean') {
      continue;
    }
    const field = `${context}${instancePath.replaceAll('/', '.')}`;
    for (const [path, text] of explain(field, keyword, message ?? 'is not valid', params)) {
      // A later failure of the same field is the wider one (`anyOf` after its members).
      byField.set(path, text);
    }
  }
  return [...byField].map(([field, text]) => `${field} ${text}`).join('; ');
}

function explain(field: string, keyword: string, message: string, params: Record<string, unknown>): readonly (readonly [string, string])[] {
  switch (keyword) {
    case 'required':
      return (params['requiredProperties'] as readonly string[]).map((name) => [`${field}.${name}`, 'is required'] as const);
    case 'additionalProperties':
      return (params['additionalProperties'] as readonly string[]).map(
        (name) => [`${field}.${name.slice(0, 64)}`, 'is not known'] as const,
      );
    case 'enum':
      return [[field, `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`]];
    default:
      return [[field, message]];
  }
}

const CLIENT_CODES: Readonly<Record<number, StatusCode>> = { 404: 'not_found', 408: 'deadline_exceeded', 429: 'resource_exhausted' };

// What Fastify itself refuses: broken JSON, a body too large, another media type, too many requests.
function clientProblem(error: FastifyError, status: number): Problem {
  const code = CLIENT_CODES[status] ?? 'invalid_argument';
  return httpProblem(code, status, problemOf(new StatusError(code, '')).title, error.message);
}

function httpProblem(code: StatusCode, status: number, title: string, detail: string): Problem {
  return {
    ...problemOf(new StatusError(code, detail)),
    title,
    status,
    type: status === httpStatusOf(code) ? `urn:jetbridge:status:${code}` : 'about:blank',
  };
}

function send(reply: FastifyReply, problem: Problem): FastifyReply {
  // Serialised here: a route's response schema speaks of its own answers.
  return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).serializer(JSON.stringify).send(problem);
}

/** Which methods a path answers, from the routes as they are registered. */
function methodsByPath(app: ApiInstance): (url: string) => readonly string[] {
  const routes: { readonly method: string; readonly path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`);
    routes.push(...[method].flat().map((name) => ({ method: name, path })));
  });
  return (url) => {
    const [path = ''] = url.split('?', 1);
    return [...new Set(routes.filter((route) => route.path.test(path)).map((route) => route.method))];
  };
}

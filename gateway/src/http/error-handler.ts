import { ValidateError } from '@tsoa/runtime';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { asApiError } from '../as-api-error';
import { ApiError, ERRORS, errorBody } from '../errors';
import type { Log } from '../log';

/** Whatever no route took. */
export const notFound: RequestHandler = (request, _response, next) => {
  next(new ApiError('NOT_FOUND', `There is no ${request.method} ${request.path}`));
};

/** The last middleware: every failure leaves through here, as JSON, logged once. */
export function errorHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const failure = clientError(error) ?? asApiError(error);
    // A run's failure was logged with its run; what is ours is told without its cause, so the log must have it.
    if (failure.code === 'INTERNAL' && failure.runId === undefined) {
      log.error('request failed', {
        method: request.method,
        path: request.path,
        cause: String(stackOf(failure.cause)),
      });
    }
    if (response.headersSent) return next(error);
    response.status(ERRORS[failure.code].status).set(failure.headers).json(errorBody(failure));
  };
}

/** What tsoa, the body parser or the router found wrong with a request. */
function clientError(error: unknown): ApiError | null {
  if (error instanceof ValidateError) {
    const fields = Object.entries(error.fields).map(
      ([field, { message }]) => `${field.replace(/^body\./, '')}: ${message}`,
    );
    return new ApiError('INVALID_REQUEST', `The request is not valid: ${fields.join('; ')}`);
  }
  const { type, status, expose, message } = error as {
    type?: string;
    status?: number;
    expose?: boolean;
    message?: string;
  };
  if (type === 'entity.too.large') return new ApiError('PAYLOAD_TOO_LARGE', 'The request body is too large');
  if (error instanceof URIError || (expose && status !== undefined && status < 500)) {
    return new ApiError('INVALID_REQUEST', `The request cannot be read: ${message}`);
  }
  return null;
}

const stackOf = (cause: unknown) => (cause instanceof Error ? cause.stack : cause);

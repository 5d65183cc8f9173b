import type { RequestHandler } from 'express';
import { ANYBODY, setPrincipal } from '../security/principal';

/** Stands where authentication does in the whole app, for routes that are tested without it. */
export const asAnybody: RequestHandler = (request, _response, next) => {
  setPrincipal(request, ANYBODY);
  next();
};

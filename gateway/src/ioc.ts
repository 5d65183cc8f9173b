import type { Controller, IocContainer, IocContainerFactory } from '@tsoa/runtime';
import type { Request } from 'express';

type ControllerClass = new (...services: never[]) => Controller;

/** Makes a controller, with its services. */
export type MakeController = () => Controller;

/** Name under which `createApp` leaves how to make the controllers: a map from class to `MakeController`. */
export const CONTROLLERS = 'controllers';

/**
 * tsoa asks here for a controller. Each request gets its own: status and headers of the answer are kept in it, and would
 * else be those of another request.
 */
export const iocContainer: IocContainerFactory<Request> = (request): IocContainer => ({
  get: <T>(controller: ControllerClass): T => request.app.locals[CONTROLLERS].get(controller)() as T,
});

import type { Controller, IocContainer, IocContainerFactory } from '@tsoa/runtime';
import type { Request } from 'express';

type ControllerClass = new (...services: never[]) => Controller;

/** Name under which `createApp` leaves the ready controllers. */
export const CONTROLLERS = 'controllers';

/** tsoa asks here for a controller: the app made them, by hand, with their services. */
export const iocContainer: IocContainerFactory<Request> = (request): IocContainer => ({
  get: <T>(controller: ControllerClass): T => request.app.locals[CONTROLLERS].get(controller) as T,
});

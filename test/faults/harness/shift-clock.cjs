// Preloaded into a gateway whose wall clock is to be wrong by so many ms; timers and the monotonic clock stay right.
const ms = Number(process.env.INGESTA_TEST_CLOCK_AHEAD_MS);
const now = Date.now;
Date.now = () => now() + ms;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, self) => Reflect.construct(target, args.length > 0 ? args : [target.now()], self),
});

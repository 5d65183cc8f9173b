import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptEvent } from '@ingesta/kit';
import type Docker from 'dockerode';
import type { Container, ContainerCreateOptions } from 'dockerode';
import { ApiError } from '../errors';
import { DockerDemux } from './docker-demux';
import { answered, engineError, patientlyAnswered, statusOf } from './docker-errors';
import { MEMORY_EXITS, type Outcome, STOP_SECONDS } from './runner';
import { ScriptStreams } from './script-streams';

/** How long the engine may be out of reach during a run before the run is given up. */
const LOST_ENGINE_MS = 60_000;
/** The engine is asked this often whether the script is over: where it was restarted, nobody tells those who wait. */
const LOOK_MS = 5_000;
/** Whoever waits for the exit is told of it within this. */
const TOLD_MS = 1_000;
/** From here on an exit code says that something ended the script. */
const KILLED = 128;
/** Output still in flight after the exit gets this long. */
const DRAIN_MS = 5_000;
/** A container that was told to stop is waited for this long; then the engine is taken for frozen. */
const FROZEN_MS = (STOP_SECONDS + 10) * 1000;
/** What the engine answers where there is nothing left to stop: already stopped, or removed. */
const GONE = new Set<number | undefined>([304, 404]);

export interface Launch {
  stdin: string | null;
  signal: AbortSignal;
  onEvent: (event: ScriptEvent) => void;
}

/**
 * One container from create to remove. The order matters: attach and wait are armed before the start, so that neither
 * the first byte nor the exit of a quick script is missed; removal comes last, always, and on its own clock.
 */
export async function launchContainer(
  docker: Pick<Docker, 'createContainer' | 'getContainer'>,
  options: ContainerCreateOptions,
  { stdin, signal, onEvent }: Launch,
): Promise<Outcome> {
  const container = await create(docker, options, signal);
  const stop = () => void stopContainer(container);
  try {
    const streams = new ScriptStreams(onEvent, stop);
    const attached = await attach(container, streams, stdin !== null, signal);
    const exit = container.wait({ condition: 'next-exit' });
    // Looked at below; a failing start must not leave it unhandled.
    exit.catch(() => undefined);
    const startedAt = new Date();
    await patientlyAnswered(container.start(), signal);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    if (stdin !== null) attached.stream.end(stdin);

    const seen = await Promise.race([waitForExit(container, exit), longAfterAbort(signal)]);
    await Promise.race([attached.ended, sleep(DRAIN_MS, undefined, { ref: false })]);
    const finishedAt = new Date();
    const output = streams.end();
    const weStopped = signal.aborted || output.overflowed;
    // An engine that goes down takes its scripts along; what their exit then looks like tells nothing of them.
    const outOfSight = seen.outOfSight || !attached.isWhole();
    const exitCode =
      outOfSight && !weStopped && seen.exitCode !== null && seen.exitCode >= KILLED ? null : seen.exitCode;
    const oomKilled = await wasOomKilled(container, exitCode, weStopped);
    return {
      exitCode,
      oomKilled,
      stdout: output.stdout,
      stdoutProblem: output.overflowed ? 'too_long' : attached.isWhole() ? null : 'cut',
      stderrTail: output.stderrTail,
      startedAt,
      finishedAt,
    };
  } catch (error) {
    throw engineError(error);
  } finally {
    signal.removeEventListener('abort', stop);
    await remove(container, signal);
  }
}

async function create(
  docker: Pick<Docker, 'createContainer'>,
  options: ContainerCreateOptions,
  signal: AbortSignal,
): Promise<Container> {
  const created = docker.createContainer(options);
  try {
    return await patientlyAnswered(created, signal);
  } catch (error) {
    // Nobody waits any more, and it may come all the same.
    created.then((container) => remove(container, signal)).catch(() => undefined);
    if (statusOf(error) !== 404) throw engineError(error);
    throw new ApiError('IMAGE_NOT_FOUND', `Image ${options.Image} is gone`, { cause: error });
  }
}

function attach(container: Container, streams: ScriptStreams, stdin: boolean, signal: AbortSignal) {
  const demux = new DockerDemux(
    (chunk) => streams.stdout(chunk),
    (chunk) => streams.stderr(chunk),
  );
  // A stream that comes too late must not break with nobody listening: that would end the gateway.
  const attached = container
    .attach({ stream: true, stdin, stdout: true, stderr: true, hijack: stdin })
    .then((stream) => {
      let endedWell = false;
      const ended = new Promise<void>((resolve) => {
        stream.on('data', (chunk: Buffer) => demux.write(chunk));
        stream.on('end', () => {
          endedWell = true;
          resolve();
        });
        // A cut stream is not an exit: the result may stand in the lake. `isWhole` tells.
        stream.on('error', () => resolve());
        stream.on('close', () => resolve());
      });
      return { stream, ended, isWhole: () => endedWell && demux.complete };
    });
  return patientlyAnswered(attached, signal);
}

/** How a script's end was seen. `exitCode`: null where it was not. `outOfSight`: the engine did not answer meanwhile. */
interface SeenExit {
  exitCode: number | null;
  outOfSight: boolean;
}

/** Resolves when an aborted script is still not over long after the engine should have killed it. Never otherwise. */
function longAfterAbort(signal: AbortSignal): Promise<SeenExit> {
  return new Promise((resolve) => {
    const wait = () => setTimeout(() => resolve({ exitCode: null, outOfSight: true }), FROZEN_MS).unref();
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}

/** Waits for the exit. `exit` may break, or fall silent, with its connection: so the engine is asked now and then, too. */
async function waitForExit(container: Container, exit: Promise<{ StatusCode: number }>): Promise<SeenExit> {
  let lostSince: number | null = null;
  let outOfSight = false;
  let startedAt: string | null = null;
  const told = exit.then(
    ({ StatusCode }) => StatusCode,
    () => new Promise<never>(() => undefined),
  );
  for (;;) {
    const exitCode = await Promise.race([told, sleep(LOOK_MS, null, { ref: false })]);
    if (exitCode !== null) return { exitCode, outOfSight };
    try {
      const { State } = await answered(container.inspect());
      if (!State.Running) {
        // Where those who wait are not told, the engine that they asked is not there any more.
        const late = await Promise.race([told, sleep(TOLD_MS, null, { ref: false })]);
        return { exitCode: late ?? State.ExitCode, outOfSight: outOfSight || late === null };
      }
      lostSince = null;
      // What lives on did not go down with an engine that was only slow; what was started anew is no script of ours.
      startedAt ??= State.StartedAt;
      if (State.StartedAt === startedAt) outOfSight = false;
    } catch (error) {
      if (statusOf(error) === 404) return { exitCode: null, outOfSight };
      outOfSight = true;
      lostSince ??= Date.now();
      if (Date.now() - lostSince > LOST_ENGINE_MS) return { exitCode: null, outOfSight };
    }
  }
}

/** `OOMKilled` is unreliable on cgroup v2: an exit that looks like one counts too, unless we caused it. */
async function wasOomKilled(container: Container, exitCode: number | null, weStopped: boolean): Promise<boolean> {
  if (exitCode !== null && MEMORY_EXITS.includes(exitCode) && !weStopped) return true;
  try {
    return (await answered(container.inspect())).State.OOMKilled === true;
  } catch {
    return false; // The container is gone; its exit code has already told the story.
  }
}

/** Asks until the engine has heard it: a script that must end cannot be left to end by itself. */
async function stopContainer(container: Container): Promise<void> {
  for (const pause of [0, 1000, 5000, 15_000, 30_000]) {
    await sleep(pause);
    try {
      await answered(container.stop({ t: STOP_SECONDS }), FROZEN_MS);
      return;
    } catch (error) {
      if (GONE.has(statusOf(error))) return;
    }
  }
}

async function remove(container: Container, signal: AbortSignal): Promise<void> {
  for (const pause of [0, 500, 2000]) {
    await sleep(pause);
    try {
      await patientlyAnswered(container.remove({ force: true, v: true }), signal);
      return;
    } catch (error) {
      // Gone; or the engine was asked and has not answered: what then stays is the reaper's.
      if (statusOf(error) === 404 || error instanceof ApiError) return;
    }
  }
}

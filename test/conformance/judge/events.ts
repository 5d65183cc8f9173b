import { type ScriptEvent, scriptEventSchema } from '@ingesta/kit';

/** The longest line that the gateway reads whole. */
const MAX_LINE_BYTES = 64 * 1024;

/** The events of a script's stderr, and what its other lines are. */
export function readEvents(stderr: string): { events: ScriptEvent[]; problems: string[] } {
  const events: ScriptEvent[] = [];
  const problems: string[] = [];
  for (const line of stderr.split('\n')) {
    if (line.trim() === '') continue;
    const start = JSON.stringify(line.slice(0, 60));
    const event = parse(line);
    if (event === undefined) problems.push(`a line is no JSON: ${start}`);
    else if (!event.success) problems.push(`a line is none of the four events: ${start}`);
    else if (Buffer.byteLength(line) > MAX_LINE_BYTES) problems.push(`a line is over 64 KiB: ${start}`);
    else events.push(event.data);
  }
  return { events, problems };
}

function parse(line: string): ReturnType<typeof scriptEventSchema.safeParse> | undefined {
  try {
    return scriptEventSchema.safeParse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Whether a line of stderr tells that a table is being read now. */
export const startsTable = (line: string): boolean => {
  const event = parse(line);
  return event?.success === true && event.data.event === 'table_started';
};

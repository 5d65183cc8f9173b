/**
 * How long AWS may be silent, in ms, before a client gives the request up; the SDK itself waits for ever. Both end a
 * silence, not a long request: a part may take its time on a slow line.
 */
export const AWS_SILENCE = { connectionTimeout: 5_000, socketTimeout: 60_000 };

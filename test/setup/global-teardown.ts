import { stopStarted } from './stop-started';

// biome-ignore lint/style/noDefaultExport: Jest takes the default export
export default stopStarted;

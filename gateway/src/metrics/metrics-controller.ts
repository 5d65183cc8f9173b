import { Readable } from 'node:stream';
import { Controller, Get, Route, SuccessResponse, Tags } from '@tsoa/runtime';
import type { Metrics } from './metrics';

@Route('metrics')
@Tags('Health')
export class MetricsController extends Controller {
  constructor(private readonly metrics: Metrics) {
    super();
  }

  /** @summary What Prometheus scrapes */
  @Get()
  @SuccessResponse(200, 'Metrics of this gateway', 'text/plain')
  async scrape(): Promise<Readable> {
    this.setHeader('Content-Type', this.metrics.contentType);
    // A stream is sent as it is; a string would become JSON.
    return Readable.from([await this.metrics.text()]);
  }
}

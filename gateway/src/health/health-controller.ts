import { Controller, Get, Route, Tags } from '@tsoa/runtime';
import type { HealthService, IngestHealth, LakeHealth, Overview } from './health-service';

@Route('')
@Tags('Health')
export class HealthController extends Controller {
  constructor(private readonly health: HealthService) {
    super();
  }

  /** @summary What this is, and what it offers */
  @Get('/')
  async overview(): Promise<Overview> {
    return this.health.overview();
  }

  /**
   * Cheap: from pointers and manifests, cached. A lake that blinks says DEGRADED with status 200.
   * @summary Which data is there, and how old
   */
  @Get('health')
  async data(): Promise<LakeHealth> {
    return this.health.data();
  }

  /** @summary Can an ingestion run now: runner, images, lake */
  @Get('api/ingesta/health')
  async ingestion(): Promise<IngestHealth> {
    return this.health.ingestion();
  }

  /** @summary Is the process alive */
  @Get('livez')
  async live(): Promise<{ status: 'OK' }> {
    return { status: 'OK' };
  }

  /** @summary Can it take requests */
  @Get('readyz')
  async ready(): Promise<{ status: 'OK' }> {
    return { status: 'OK' };
  }
}

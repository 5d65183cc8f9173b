import {
  type Client,
  type EmptyCallback,
  type ExecutionOptions,
  errors,
  type Host,
  type HostMap,
  policies,
} from 'cassandra-driver';

interface WithControlConnection {
  controlConnection: { host: { datacenter: string } | null };
}

/** What the driver's types leave out: null where the node is down, or nothing is open to it. */
interface WithConnection {
  getActiveConnection(): object | null;
}

type QueryPlan = (error: Error, hosts: Iterator<Host>) => void;

/** Asks the nodes of one data center: unless told which, that of the first node that answered. */
export class LocalDataCenterPolicy extends policies.loadBalancing.DCAwareRoundRobinPolicy {
  override init(client: Client, hosts: HostMap, callback: EmptyCallback): void {
    const self = this as unknown as { localDc: string };
    // The driver finds its nodes over this connection, before it asks for a policy.
    self.localDc ||= (client as unknown as WithControlConnection).controlConnection.host?.datacenter ?? '';
    super.init(client, hosts, callback);
  }

  /** Connected nodes only: the driver gives up preparing a statement at the first node that is not. */
  override newQueryPlan(keyspace: string, options: ExecutionOptions, callback: QueryPlan): void {
    super.newQueryPlan(keyspace, options, (error, hosts) => callback(error, error ? hosts : connected(hosts)));
  }
}

function* connected(hosts: Iterator<Host>): Generator<Host, undefined> {
  for (let next = hosts.next(); !next.done; next = hosts.next()) {
    if ((next.value as Host & WithConnection).getActiveConnection()) yield next.value;
  }
  return undefined;
}

/** Reads that took too long are ours to repeat, with less; all that a dead node left undone goes to the next one. */
export class OtherNodePolicy extends policies.retry.RetryPolicy {
  override onReadTimeout(): policies.retry.DecisionInfo {
    return this.rethrowResult();
  }

  override onRequestError(
    _info: policies.retry.OperationInfo,
    _consistency: number,
    error: Error,
  ): policies.retry.DecisionInfo {
    const again = error instanceof errors.OperationTimedOutError || error instanceof errors.ResponseError;
    return again ? this.rethrowResult() : this.retryResult(undefined as never, false);
  }
}

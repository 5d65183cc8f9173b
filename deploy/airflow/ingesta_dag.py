"""Ingests every source once a day, for Airflow 2.9 or newer: copy this file into the DAGs folder.

Connection `ingesta` (type HTTP): host and port of the gateway or its balancer, schema http or https, and as password an API
key where the gateway asks for one. Variable `ingesta_sources`: a JSON list, ["mysql", "postgresql"] unless set.

Each task POSTs with `Prefer: respond-async` and an Idempotency-Key of its own, then asks for the run until it is over. The key is
that of the DAG run, the source, and how often a person has cleared the task: a worker that dies and is restarted, and a retry, find
their run again instead of starting another one; after a failure that may pass, the gateway starts anew under the same key, any other
(settings, a table that is not there) is answered again until the task is cleared. A task that is marked failed, cleared, or out of
time cancels its run.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException
from airflow.hooks.base import BaseHook
from airflow.models import Variable

POLL_S = 10
# How long the gateways may be away, a rolling restart included, before the try is given up.
PATIENCE_S = 300
# A request that was held for so long was not refused: a run waits for its turn behind others before it has an answer.
HELD_S = 30
# Answers of a moment: a restart, a limit, a run of somebody else's.
AGAIN = {"LEASE_LOST", "GATEWAY_UNAVAILABLE", "RATE_LIMITED", "TOO_MANY_RUNS", "RUN_IN_PROGRESS"}


class Gateway:
    """The HTTP interface, as far as it is needed here."""

    def __init__(self, url: str, key: str | None):
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    @classmethod
    def of_connection(cls, conn_id: str) -> Gateway:
        conn = BaseHook.get_connection(conn_id)
        port = f":{conn.port}" if conn.port else ""
        return cls(f"{conn.schema or 'http'}://{conn.host}{port}", conn.password)

    def call(self, method: str, path: str, **headers: str) -> dict:
        """The answer's JSON. Asks again while the answer is one of a moment; raises for every other error."""
        troubled_since = None
        while True:
            asked_at = time.monotonic()
            request = urllib.request.Request(self.url + path, method=method, headers={**self.headers, **headers})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as failure:
                body = failure.read().decode()
                problem, again = self._read(failure.code, body)
                # Of a GET: nothing is known just now, and whatever it asks about goes on.
                again = again or (method == "GET" and failure.code >= 500)
            except OSError as failure:
                problem, again = str(failure), True
                # Cut by a proxy, or by the time-out above: no trouble while the gateway lives.
                if time.monotonic() - asked_at >= HELD_S and self._is_alive():
                    troubled_since = None
            now = time.monotonic()
            troubled_since = now if troubled_since is None else troubled_since
            if not again or now - troubled_since > PATIENCE_S:
                raise AirflowException(f"{method} {path}: {problem}")
            time.sleep(POLL_S)

    def _is_alive(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/livez", timeout=10):
                return True
        except OSError:
            return False

    @staticmethod
    def _read(status: int, body: str) -> tuple[str, bool]:
        try:
            error = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            return f"HTTP {status}", status >= 500
        return f"{error['code']}: {error['message']} {error.get('hint') or ''}", error["code"] in AGAIN


def ingest(gateway: Gateway, source: str, key: str, sleep=time.sleep) -> dict:
    """Starts the run, or finds the one that this key started, and follows it to its end. Gives its record."""
    started = gateway.call("POST", f"/api/ingesta/{source}", **{"Prefer": "respond-async", "Idempotency-Key": key})
    run_id = started["run_id"]
    try:
        while True:
            run = gateway.call("GET", f"/api/ingesta/runs/{run_id}")
            if run["state"] == "succeeded":
                return run
            if run["state"] != "running":
                error = run.get("error") or {}
                raise AirflowException(f"run {run_id} {run['state']}: {error.get('code')}: {error.get('message')}")
            sleep(POLL_S)
    except AirflowException:
        raise  # The run is over, or nobody can say: there is nothing to cancel.
    except BaseException:  # Airflow's own ways to end a task: marked failed, cleared, out of time.
        gateway.call("DELETE", f"/api/ingesta/runs/{run_id}")
        raise


@dag(
    dag_id="ingesta",
    schedule="0 3 * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "execution_timeout": timedelta(hours=2)},
    tags=["ingesta"],
)
def ingesta():
    @task
    def sources() -> list[str]:
        return Variable.get("ingesta_sources", default_var=["mysql", "postgresql"], deserialize_json=True)

    @task
    def run(source: str, dag_run=None, ti=None) -> str:
        # Clearing a task raises its `max_tries`, which its own retries share.
        key = f"airflow:{dag_run.run_id}:{source}:{ti.max_tries}"
        return ingest(Gateway.of_connection("ingesta"), source, key)["run_id"]

    run.expand(source=sources())


ingesta()

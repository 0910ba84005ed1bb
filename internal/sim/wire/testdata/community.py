"""What the community's scripts ask of a v0 and a v2 monitor, the way they ask it. Prints what they got as one JSON object.

Usage: community.py V0_MONITOR V2_MONITOR
"""

import json
import sys

import requests

HEADERS = {"Content-Type": "application/json"}


def post(url, message):
    return requests.post(url, headers=HEADERS, data=json.dumps(message), timeout=15)


class V0:
    """One v0 monitor, by its host and port."""

    def __init__(self, monitor):
        self.manager = monitor + "/api/query_manager"
        self.fetcher = monitor + "/api/query_fetcher"

    def workers(self):
        """Every worker with its state, matched by position."""
        stored = post(self.manager, {"callOnlineLifecycleManager": {}}).json()
        rows = stored["content"]["lifecycleManagerStateUpdate"]["workers"]
        ids = [{"uuid": row["uuid"]} for row in rows]
        states = post(self.manager, {"queryWorkerState": {"ids": ids}}).json()
        return list(zip(rows, states["content"]["workerStateUpdate"]["workerStates"]))

    def restart(self, uuid):
        message = {"requestStartWorkerLifecycle": {"requests": [{"id": {"uuid": uuid}}]}}
        return post(self.manager, message).json()["content"]

    def kick(self, uuid):
        message = {"requestKickWorker": {"requests": [{"id": {"uuid": uuid}}]}}
        return post(self.manager, message).json()["content"]

    def add_pool(self, pid, mnemonic):
        pool = {"pid": pid, "name": pid, "owner": {"mnemonic": mnemonic}, "enabled": True, "realPhalaSs58": ""}
        return post(self.manager, {"requestCreatePool": {"pools": [pool]}}).json()["content"]

    def add_worker(self, pid, name, ip):
        worker = {"pid": pid, "name": name, "endpoint": "http://%s:8000" % ip, "enabled": True, "stake": "10000000000000"}
        return post(self.manager, {"requestCreateWorker": {"workers": [worker]}}).json()["content"]

    def update_worker(self, uuid, worker):
        items = [{"id": {"uuid": uuid}, "worker": worker}]
        return post(self.manager, {"requestUpdateWorker": {"items": items}}).json()["content"]

    def fetched(self):
        return post(self.fetcher, {"callOnlineFetcher": {}}).json()["content"]["fetcherStateUpdate"]


class V2:
    """One v2 monitor; the first lifecycle manager of its table."""

    def __init__(self, monitor):
        peers = requests.post(monitor + "/ptp/discover", timeout=15).json()
        self.ip = peers["lifecycleManagers"][0]["remoteAddr"].split("/")[2]
        self.proxy = monitor + "/ptp/proxy/" + peers["lifecycleManagers"][0]["peerId"] + "/"

    def ask(self, method, message):
        return post(self.proxy + method, message).json()


def main():
    v0, v2 = V0(sys.argv[1]), V2(sys.argv[2])
    workers = v0.workers()
    first = workers[0][0]
    got = {
        "states": [state["status"] for _, state in workers],
        "heights": [state["paraBlockDispatchedTo"] for _, state in workers],
        "messages": [state["lastMessage"] for _, state in workers],
        "fetched": v0.fetched(),
        "restart": v0.restart(first["uuid"]),
        "kick": v0.kick(workers[1][0]["uuid"]),
        "pool": len(v0.add_pool("99", "foo bar")["lifecycleManagerStateUpdate"]["pools"]),
        "pool again": v0.add_pool("99", "foo bar")["error"]["extra"],
        "worker": len(v0.add_worker("99", "added", "127.0.210.1")["lifecycleManagerStateUpdate"]["workers"]),
    }
    change = dict(first, deleted=True)
    got["deleted"] = len(v0.update_worker(first["uuid"], change)["lifecycleManagerStateUpdate"]["workers"])
    states = v2.ask("GetWorkerStatus", {})["data"]["workerStates"]
    got["v2 states"] = [state["status"] for state in states]
    got["v2 ip"] = v2.ip
    got["v2 restart"] = v2.ask("RestartWorker", {"ids": [states[0]["worker"]["uuid"]]})["hasError"]
    json.dump(got, sys.stdout)


main()

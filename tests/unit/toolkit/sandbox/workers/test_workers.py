"""Functions in real forked processes, from handlers that each test needs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.workers.environment import Host, access_key
from hub_toolkit.sandbox.workers.pool import Function, Pool, Result
from hub_toolkit.sandbox.workers.process import Zygote, ZygoteGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = Host("http://127.0.0.1:4566", "ap-northeast-1", "111122223333")
T0 = 1_900_000_000.0
WAIT_S = 20.0

HANDLERS = """
import json, os, random, signal, socket, subprocess, sys, threading, time
from time import time as imported_time

import preloaded

CALLS = []


def echo(event, context):
    CALLS.append(1)
    return {"event": event, "pid": os.getpid(), "calls": len(CALLS)}


def describe(event, context):
    return {
        "environment": dict(os.environ),
        "directory": os.getcwd(),
        "context": {
            "aws_request_id": context.aws_request_id,
            "function_name": context.function_name,
            "function_version": context.function_version,
            "memory_limit_in_mb": context.memory_limit_in_mb,
            "invoked_function_arn": context.invoked_function_arn,
            "log_group_name": context.log_group_name,
            "log_stream_name": context.log_stream_name,
        },
        "left": context.get_remaining_time_in_millis(),
        "ppid": os.getppid(),
        "preloaded_in": preloaded.PID,
        "sigint": signal.getsignal(signal.SIGINT) == signal.SIG_DFL,
        "child": subprocess.run(["true"]).returncode,
        "descriptors": sorted(
            os.readlink(f"/proc/self/fd/{fd}").split(":")[0]
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}") or os.path.islink(f"/proc/self/fd/{fd}")
        ) if sys.platform == "linux" else [],
    }


def times(event, context):
    return [time.time(), imported_time(), time.time_ns() / 1e9, preloaded.time(), time.monotonic()]


def speak(event, context):
    print("標準出力 🙂")
    print("標準エラー", file=sys.stderr)
    print("\\ud800 half a pair")
    sys.stdout.write("no newline")


def crash(event, context):
    os._exit(3)


def leave(event, context):
    sys.exit("bye")


def suicide(event, context):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def fail(event, context):
    raise ValueError("値が悪い \\ud800")


def hang(event, context):
    print("hanging", flush=True)
    while True:
        time.sleep(60)


def spin(event, context):
    end = time.process_time() + event["cpu_s"]
    while time.process_time() < end:
        pass


def hoard(event, context):
    hoard = [bytearray(b"x" * (1 << 20)) for _ in range(event["mib"])]
    return len(hoard)


def threads(event, context):
    go = threading.Event()
    crowd = [threading.Thread(target=go.wait) for _ in range(event["count"])]
    for thread in crowd:
        thread.start()
    go.set()
    for thread in crowd:
        thread.join()
    return len(crowd)


def unsayable(event, context):
    return eval(event, {"set": set, "nan": float("nan"), "half": "\\ud800", "big": "x" * 6291457})


def connect(event, context):
    preloaded.connection = socket.create_connection(("127.0.0.1", event["port"]))
    return preloaded.connection.getsockname()[1]


def meet(event, context):
    with socket.create_connection(("127.0.0.1", event["port"])) as connection:
        return connection.recv(100).decode()


def dice(event, context):
    return random.random()
"""

PRELOADED = """
import os
from time import time
PID = os.getpid()
connection = None
"""


class Bench:
    """Starts pools over one zygote whose handlers' module is imported already."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.code = root / "code"
        self.logs = root / "logs"
        for directory in (self.code, self.logs):
            directory.mkdir()
        (self.code / "preloaded.py").write_text(PRELOADED)
        (self.code / "handlers.py").write_text(HANDLERS)
        self.clock = Clock(start=T0)
        self.zygote = Zygote(["preloaded"], [self.code])
        self._pools: list[Pool] = []

    def function(self, name: str, **changes: Any) -> Function:
        settings: dict[str, Any] = {
            "handler": f"handlers.{name}",
            "env": {"STAGE": "test"},
            "timeout_s": WAIT_S,
            "memory_mb": 256,
            "directory": self.code,
        }
        return Function(name=name, **{**settings, **changes})

    def pool(self, *functions: Function | str) -> Pool:
        made = [f if isinstance(f, Function) else self.function(f) for f in functions]
        pool = Pool(self.zygote, self.clock, made, host=HOST, logs=self.logs)
        self._pools.append(pool)
        return pool

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def close(self) -> None:
        for pool in self._pools:
            pool.close()
        self.zygote.close()
        self.clock.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.002)):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError("the condition did not come true")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# what a handler gets


def test_a_worker_is_reused_while_it_is_free(bench: Bench) -> None:
    pool = bench.pool("echo")
    first = pool.invoke("echo", {"名前": ["値", 1, None]})
    second = pool.invoke("echo", None)
    assert first.error is None
    assert first.payload["event"] == {"名前": ["値", 1, None]}
    assert second.payload == {"event": None, "pid": first.payload["pid"], "calls": 2}
    assert first.request_id != second.request_id
    assert pool.pids("echo") == [first.payload["pid"]]


def test_the_environment_is_the_templates_and_lambdas_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    pool = bench.pool(bench.function("describe", memory_mb=192, timeout_s=30))
    result = pool.invoke("describe", {})
    seen = result.payload
    stream = seen["context"]["log_stream_name"]
    environment = seen["environment"]
    for name in ("PATH", "LANG"):
        assert environment.pop(name, None) == os.environ.get(name)
    environment.pop("no_proxy", None)
    assert environment == {
        "STAGE": "test",
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": access_key("describe"),
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_SESSION_TOKEN": "sandbox",
        "AWS_ENDPOINT_URL": HOST.endpoint,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "describe",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/describe",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(bench.code.resolve()),
        "_HANDLER": "handlers.describe",
        "TZ": "UTC",
    }
    assert seen["context"] == {
        "aws_request_id": result.request_id,
        "function_name": "describe",
        "function_version": "$LATEST",
        "memory_limit_in_mb": "192",
        "invoked_function_arn": "arn:aws:lambda:ap-northeast-1:111122223333:function:describe",
        "log_group_name": "/aws/lambda/describe",
        "log_stream_name": stream,
    }
    assert stream.startswith("2030/03/17/[$LATEST]")
    assert 10_000 < seen["left"] <= 30_000
    assert seen["directory"] == str(bench.code.resolve())


def test_a_worker_is_forked_from_what_is_imported_and_shares_no_socket(bench: Bench) -> None:
    pool = bench.pool("describe", "echo")
    seen = pool.invoke("describe", {}).payload
    assert seen["preloaded_in"] == seen["ppid"] == bench.zygote.pid
    assert seen["sigint"]
    assert seen["child"] == 0
    if sys.platform == "linux":
        assert seen["descriptors"].count("socket") == 1


def test_the_handlers_wall_clock_is_the_sandboxs(bench: Bench) -> None:
    pool = bench.pool("times")
    before, monotonic = bench.clock.now(), time.monotonic()
    *walls, handlers_monotonic = pool.invoke("times", {}).payload
    assert all(before - 0.01 <= wall <= bench.clock.now() + 0.01 for wall in walls)
    assert monotonic <= handlers_monotonic <= time.monotonic()
    bench.clock.advance(86_400)
    *walls, _ = pool.invoke("times", {}).payload
    assert all(wall >= before + 86_399 for wall in walls)


def test_the_clock_runs_at_real_speed_during_an_invocation(bench: Bench) -> None:
    pool = bench.pool("spin")
    pool.await_ready()
    with bench.clock.running():
        bench.clock.set_speed(1e6)
        began = bench.clock.now()
        held = ExitStack()
    with held:
        pool.invoke("spin", {"cpu_s": 0.05})
    with bench.clock.running():
        # The clock is free only between the blocks: microseconds, not the invocation's 50 ms.
        assert bench.clock.now() - began < 0.05 * 1e6


def test_random_numbers_differ_between_workers(bench: Bench) -> None:
    pool = bench.pool("dice")
    first = pool.invoke("dice", {}).payload
    (pid,) = pool.pids()
    pool.kill(pid)
    wait_until(lambda: pid not in pool.pids() and bool(pool.pids()))
    assert pool.invoke("dice", {}).payload != first


# logs and numbers


def test_what_a_handler_prints_is_in_its_log(bench: Bench) -> None:
    pool = bench.pool("speak", "echo")
    result = pool.invoke("speak", {})
    pool.invoke("echo", {})
    lines = bench.log("speak").splitlines()
    assert lines[0] == f"START RequestId: {result.request_id} Version: $LATEST"
    assert lines[1:4] == ["標準出力 🙂", "標準エラー", "\\ud800 half a pair"]
    assert lines[4] == f"no newlineEND RequestId: {result.request_id}"
    assert lines[5].startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")
    for field in ("Billed Duration: ", "Memory Size: 256 MB", "Max Memory Used: ", "CPU Time: "):
        assert field in lines[5]
    assert "標準出力" not in bench.log("echo")


def test_the_cpu_time_of_each_invocation_is_its_own(bench: Bench) -> None:
    pool = bench.pool("spin")
    first = pool.invoke("spin", {"cpu_s": 0.2})
    second = pool.invoke("spin", {"cpu_s": 0.0})
    assert first.cpu_s >= 0.2
    assert second.cpu_s < 0.2
    assert first.duration_s >= 0.2
    assert first.peak_mb > 1
    stats = pool.stats()["spin"]
    assert stats.invocations == 2
    assert stats.errors == stats.timeouts == stats.kills == 0
    assert stats.cpu_s == pytest.approx(first.cpu_s + second.cpu_s)
    assert stats.peak_mb == max(first.peak_mb, second.peak_mb)


# failures


def test_an_exception_is_an_error_and_the_worker_goes_on(bench: Bench) -> None:
    pool = bench.pool("fail")
    result = pool.invoke("fail", {})
    assert result.error is not None
    assert result.error["errorType"] == "ValueError"
    assert result.error["errorMessage"] == "値が悪い \\ud800"
    assert "raise ValueError" in result.error["stackTrace"][0]
    assert not result.killed
    assert "[ERROR] ValueError: 値が悪い" in bench.log("fail")
    (pid,) = pool.pids()
    pool.invoke("fail", {})
    assert pool.pids() == [pid]
    assert pool.stats()["fail"].errors == 2


@pytest.mark.parametrize(
    ("name", "how"),
    [("crash", "exit status 3"), ("leave", "exit status 1"), ("suicide", "signal: term")],
)
def test_a_process_that_ends_is_an_error_and_is_replaced(bench: Bench, name: str, how: str) -> None:
    pool = bench.pool(name)
    pool.await_ready()
    (pid,) = pool.pids()
    result = pool.invoke(name, {})
    assert result.error == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: {how}",
    }
    assert result.killed
    assert not result.timed_out
    assert f"REPORT RequestId: {result.request_id}" in bench.log(name)
    assert "Status: error" in bench.log(name)
    wait_until(lambda: len(pool.pids()) == 1 and pool.pids() != [pid])
    assert pool.invoke(name, {}).killed
    assert pool.stats()[name].kills == 2


def test_a_timeout_kills_the_process(bench: Bench) -> None:
    pool = bench.pool(bench.function("hang", timeout_s=0.2))
    pool.await_ready()
    (pid,) = pool.pids()
    result = pool.invoke("hang", {})
    assert result.timed_out
    assert result.killed
    assert result.error is not None
    assert result.error["errorMessage"].endswith("Task timed out after 0.20 seconds")
    assert "hanging" in bench.log("hang")
    assert "Status: timeout" in bench.log("hang")
    wait_until(lambda: gone(pid))
    assert pool.stats()["hang"].timeouts == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces RLIMIT_DATA")
def test_more_memory_than_the_template_gives_ends_the_process(bench: Bench) -> None:
    pool = bench.pool(bench.function("hoard", memory_mb=128))
    assert pool.invoke("hoard", {"mib": 32}).payload == 32
    result = pool.invoke("hoard", {"mib": 256})
    assert result.error is not None
    assert result.error["errorMessage"].endswith("signal: kill")
    assert pool.invoke("hoard", {"mib": 32}).payload == 32


def test_threads_cost_little_of_the_memory_limit(bench: Bench) -> None:
    pool = bench.pool(bench.function("threads", memory_mb=128))
    assert pool.invoke("threads", {"count": 20}).payload == 20


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("set()", "Runtime.MarshalError"),
        ("nan", "Runtime.MarshalError"),
        ("half", "Runtime.MarshalError"),
        ("big", "Function.ResponseSizeTooLarge"),
    ],
)
def test_an_answer_that_cannot_be_sent_is_an_error(bench: Bench, answer: str, kind: str) -> None:
    pool = bench.pool("unsayable")
    result = pool.invoke("unsayable", answer)
    assert result.error is not None
    assert result.error["errorType"] == kind
    assert not result.killed


def test_a_handler_that_cannot_be_imported_fails_its_invocations_only(bench: Bench) -> None:
    (bench.code / "broken.py").write_text("import not_there\n")
    pool = bench.pool(bench.function("broken", handler="broken.handler"), "echo")
    for _ in range(2):
        result = pool.invoke("broken", {})
        assert result.error is not None
        assert result.error["errorType"] == "ModuleNotFoundError"
    assert "cannot be imported" in bench.log("broken")
    assert pool.invoke("echo", 1).error is None
    (bench.code / "broken.py").write_text("def handler(event, context): return 'fixed'\n")


def test_code_that_ends_the_process_on_import_is_not_started_over_and_over(
    bench: Bench,
) -> None:
    mark = bench.root / "starts"
    (bench.code / "fatal.py").write_text(
        f"import os\nopen({str(mark)!r}, 'a').write('x')\nos._exit(9)\n"
    )
    pool = bench.pool(bench.function("fatal", handler="fatal.handler"), "echo")
    result = pool.invoke("fatal", {})
    assert result.killed
    assert result.error is not None
    assert "exit status 9" in result.error["errorMessage"]
    starts = mark.read_text()
    assert 1 <= len(starts) <= 4
    for number in range(100):
        assert pool.invoke("echo", number).error is None
    assert mark.read_text() == starts


def test_a_module_that_cannot_be_preloaded_is_a_warning(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    zygote = Zygote(["handlers", "not_there"], [bench.code])
    zygote.await_ready()
    zygote.close()
    assert "not_there cannot be imported" in caplog.text
    assert "handlers cannot" not in caplog.text


# kills


def test_an_idle_worker_that_is_killed_is_replaced_and_no_invocation_fails(
    bench: Bench,
) -> None:
    pool = bench.pool("echo")
    pool.await_ready()
    (pid,) = pool.pids()
    assert pool.kill(pid)
    assert pool.invoke("echo", 1).error is None
    wait_until(lambda: len(pool.pids()) >= 1 and pid not in pool.pids())
    assert not pool.kill(pid)
    assert not pool.kill(os.getpid())


def test_a_worker_whose_time_is_said_to_be_up_ends_as_at_its_timeout(bench: Bench) -> None:
    pool = bench.pool(bench.function("hang", timeout_s=3600))
    results: list[Result] = []
    before = bench.clock.now()
    thread = threading.Thread(target=lambda: results.append(pool.invoke("hang", {})))
    thread.start()
    wait_until(lambda: (bench.logs / "hang.log").exists() and "hanging" in bench.log("hang"))
    (pid,) = pool.pids("hang")
    assert pool.time_out(pid)
    thread.join(WAIT_S)
    assert results[0].timed_out
    assert results[0].error is not None
    assert "Task timed out after 3600.00 seconds" in results[0].error["errorMessage"]
    assert bench.clock.now() - before >= 3600
    assert pool.stats()["hang"].timeouts == 1
    assert not pool.time_out(pid)


def test_a_worker_killed_at_work_is_an_error_and_is_replaced(bench: Bench) -> None:
    pool = bench.pool("hang")
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(pool.invoke("hang", {})))
    thread.start()
    wait_until(lambda: (bench.logs / "hang.log").exists() and "hanging" in bench.log("hang"))
    assert pool.running() == 1
    (pid,) = pool.pids("hang")
    assert pool.kill(pid)
    thread.join(WAIT_S)
    assert results[0].killed
    assert not results[0].timed_out
    assert pool.running() == 0
    wait_until(lambda: len(pool.pids("hang")) == 1 and pool.pids("hang") != [pid])


def test_the_worker_behind_a_connection_is_known(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        pool = bench.pool("connect", "echo")
        port = pool.invoke("connect", {"port": server.getsockname()[1]}).payload
        connection, peer = server.accept()
        with connection:
            assert peer[1] == port
            assert [pool.owner_of_port(port)] == pool.pids("connect")
        assert pool.owner_of_port(server.getsockname()[1]) is None


def test_concurrent_invocations_have_a_worker_each(bench: Bench) -> None:
    pool = bench.pool("meet")
    results: list[Result] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        event = {"port": server.getsockname()[1]}
        threads = [
            threading.Thread(target=lambda: results.append(pool.invoke("meet", event)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        server.settimeout(WAIT_S)
        connections = [server.accept()[0] for _ in threads]
        assert len(pool.pids("meet")) == 3
        for connection in connections:
            with connection:
                connection.sendall(b"met")
        for thread in threads:
            thread.join(WAIT_S)
    assert [result.payload for result in results] == ["met"] * 3
    assert len(pool.pids("meet")) == 3


# the end


def test_closing_ends_every_process_and_what_runs(bench: Bench) -> None:
    pool = bench.pool("hang", "echo")
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(pool.invoke("hang", {})))
    thread.start()
    wait_until(lambda: (bench.logs / "hang.log").exists() and "hanging" in bench.log("hang"))
    pids = [*pool.pids(), bench.zygote.pid]
    pool.close()
    thread.join(WAIT_S)
    assert results[0].killed
    with pytest.raises(ZygoteGoneError):
        pool.invoke("echo", {})
    bench.zygote.close()
    bench.zygote.close()
    wait_until(lambda: all(gone(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_a_zygote_that_dies_takes_its_workers_along_and_says_so(bench: Bench) -> None:
    pool = bench.pool("hang")
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(pool.invoke("hang", {})))
    thread.start()
    wait_until(lambda: (bench.logs / "hang.log").exists() and "hanging" in bench.log("hang"))
    pids = pool.pids()
    os.kill(bench.zygote.pid, signal.SIGKILL)
    wait_until(lambda: all(gone(pid) for pid in pids))
    thread.join(WAIT_S)
    assert results[0].killed
    wait_until(lambda: not pool.pids())
    with pytest.raises(ZygoteGoneError):
        pool.invoke("hang", {})


def test_ctrl_c_in_the_terminal_reaches_neither_zygote_nor_workers(bench: Bench) -> None:
    pool = bench.pool("echo")
    pool.await_ready()
    own = os.getpgid(0)
    assert all(os.getpgid(pid) != own for pid in (bench.zygote.pid, *pool.pids()))


def test_processes_die_with_their_parent(bench: Bench) -> None:
    """The parent here is a process of its own that is killed while a handler runs."""
    script = bench.root / "parent.py"
    script.write_text(
        f"""
import json, sys, threading
from pathlib import Path
from hub_toolkit.sandbox.clock import Clock
from hub_toolkit.sandbox.workers.environment import Host
from hub_toolkit.sandbox.workers.pool import Function, Pool
from hub_toolkit.sandbox.workers.process import Zygote
code = Path({str(bench.code)!r})
zygote = Zygote(["preloaded"], [code])
function = Function("hang", "handlers.hang", {{}}, 600, 256, code)
pool = Pool(zygote, Clock(), [function], host=Host("http://127.0.0.1:1", "r", "a"),
            logs=Path({str(bench.logs)!r}))
pool.await_ready()
pids = [zygote.pid, *pool.pids()]
threading.Thread(target=pool.invoke, args=("hang", {{}}), daemon=True).start()
print(json.dumps(pids), flush=True)
sys.stdin.read()
"""
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        wait_until(lambda: (bench.logs / "hang.log").exists() and "hanging" in bench.log("hang"))
        parent.kill()
    assert len(pids) == 2
    wait_until(lambda: all(gone(pid) for pid in pids))

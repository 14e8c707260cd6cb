"""Whatever a rule does to its process, the next question is answered."""

from collections.abc import Iterator

import psutil
import pytest
from questions import KINDS

from adaptml.errors import LabellingError
from adaptml.settings import Settings
from portal.asks.children import Children
from portal.asks.core import AskError

SECONDS = 1.5


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    settings = Settings(
        _env_file=None,
        root=tmp_path_factory.mktemp("asks"),
        label_studio_token="hush",
        rules_seconds=SECONDS,
        rules_memory_mb=300,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABEL_STUDIO_API_TOKEN", "hush")
        patch.setenv("MY_WORDS", "cat")
        with Children(settings, kinds=KINDS, warming=()) as made:
            yield made


def failure(ask: Children, code: str) -> AskError:
    with pytest.raises(AskError) as raised:
        ask("runs", code=code)
    assert ask("add", one=2, other=3) == {"sum": 5, "printed": []}
    return raised.value


@pytest.mark.parametrize("kind", ["add", "add_kept"])
def test_a_question_is_answered(ask: Children, kind: str) -> None:
    assert ask(kind, one=2, other=3)["sum"] == 5


def test_a_limited_question_has_a_process_of_its_own(ask: Children) -> None:
    first, second = (ask("same_process")["pid"] for _ in range(2))
    assert first != second
    assert ask("same_process_kept") == ask("same_process_kept")


def test_an_error_of_ours_is_raised_as_what_it_is(ask: Children) -> None:
    with pytest.raises(LabellingError, match="no such class") as raised:
        ask("runs", code="raise LabellingError('no such class')")
    assert type(raised.value) is LabellingError


def test_another_error_is_a_failure_of_the_question(ask: Children) -> None:
    assert "ZeroDivisionError" in str(failure(ask, "return 1 / 0"))


def test_a_loop_is_stopped_and_its_line_told(ask: Children) -> None:
    error = failure(ask, "x = 0\nwhile True:\n    x += 1")
    assert (error.rule, error.line in (3, 4)) == ("rule", True)
    assert "1.5 seconds" in str(error)
    assert "ADAPTML_RULES_SECONDS" in str(error)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("os._exit(3)", "status 3"),
        ("ctypes.string_at(0)", "SIGSEGV"),
        ("os.abort()", "SIGABRT"),
    ],
)
def test_an_end_is_told_with_its_line(ask: Children, code: str, said: str) -> None:
    error = failure(ask, f"x = 1\n{code}")
    assert said in str(error)
    assert (error.rule, error.line) == ("rule", 3)


def test_a_killed_process_is_told(ask: Children) -> None:
    assert "SIGKILL" in str(failure(ask, "os.kill(os.getpid(), 9)"))


def test_memory_has_a_limit(ask: Children) -> None:
    error = failure(ask, "return len(bytearray(500 << 20))")
    assert "300 MB" in str(error)
    assert "ADAPTML_RULES_MEMORY_MB" in str(error)


def test_what_is_printed_is_told_with_its_line(ask: Children) -> None:
    answer = ask("runs", code="print('seen')\nsys.stderr.write('too')\nreturn 1")
    told = [(part["text"].strip(), part["line"]) for part in answer["printed"]]
    assert (answer["said"], told) == (1, [("seen", 2), ("too", 3)])


def test_what_is_printed_is_cut(ask: Children) -> None:
    printed = ask("runs", code="for _ in range(3000): print('a' * 99)")["printed"]
    assert sum(len(part["text"]) for part in printed) == 64 << 10
    written = ask("runs", code="for _ in range(3000): os.write(1, b'a' * 99)")["printed"]
    assert sum(len(part["text"]) for part in written) == 64 << 10


def test_a_copy_of_the_process_answers_nothing(ask: Children) -> None:
    assert ask("runs", code="os.fork()\nreturn os.getppid() > 0")["said"] is True


def test_nothing_that_a_rule_started_lives_on(ask: Children) -> None:
    code = """
reading, writing = os.pipe()
if not os.fork():
    os.setsid()
    orphan = subprocess.Popen(["sleep", "600"])
    os.write(writing, str(orphan.pid).encode())
    os.kill(os.getpid(), 9)
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
return [child.pid, int(os.read(reading, 20))]
"""
    started = ask("runs", code=code)["said"]
    assert len(started) == 2
    assert not [pid for pid in started if psutil.pid_exists(pid)]


def test_the_process_of_rules_has_no_secret_of_others(ask: Children) -> None:
    found = ask("environment")
    assert found["token"] == ""
    assert "LABEL_STUDIO_API_TOKEN" not in found["names"]
    assert "MY_WORDS" in found["names"]
    assert ask("environment_kept")["token"] == "hush"


def test_two_at_once_do_not_wait_for_each_other(ask: Children) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, "runs", code="time.sleep(1.2)\nreturn time.monotonic()")
        quick = ask("runs", code="return time.monotonic()")["said"]
        assert quick < slow.result()["said"]


@pytest.mark.parametrize("kind", ["same_process", "same_process_kept"])
def test_a_process_that_died_is_started_again(ask: Children, kind: str) -> None:
    before = ask(kind)
    parent = psutil.Process(before["pid"] if kind.endswith("kept") else ask._limited._process.pid)
    parent.kill()
    parent.wait(10)
    assert ask(kind)["pid"] != before["pid"]


def test_closing_ends_the_processes(ask: Children) -> None:
    pid = ask("same_process_kept")["pid"]
    ask.close()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert ask("add_kept", one=1, other=1)["sum"] == 2

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import KeepError
from harness.keep.files import read_json, write_whole


def test_a_file_is_replaced_by_the_new_text(tmp_path: Path) -> None:
    path = tmp_path / "SCORES.md"
    path.write_text("old")
    write_whole(path, "new\n")
    assert path.read_bytes() == b"new\n"


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "winners" / "a.c", "int x;\n")
    assert (tmp_path / "winners" / "a.c").read_text() == "int x;\n"


def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_lone_surrogate_is_escaped_rather_than_lost_or_fatal(tmp_path: Path) -> None:
    write_whole(tmp_path / "reply.md", "a\ud800b")
    assert (tmp_path / "reply.md").read_bytes() == rb"a\ud800b"


def test_a_reader_never_sees_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "page"
    texts = ("a" * 200_000, "b" * 100_000)
    write_whole(path, texts[0])
    loop = "while True:\n    for text in texts: write_whole(path, text, flush=False)"
    prelude = "from pathlib import Path; from harness.keep.files import write_whole"
    program = f"{prelude}\npath = Path({str(path)!r}); texts = ('a' * 200_000, 'b' * 100_000)\n{loop}"
    writer = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2])
    try:
        seen = {path.read_text() for _ in range(2000)}
    finally:
        writer.kill()
        writer.wait()
    assert seen <= set(texts)


def test_a_full_disk_is_named_and_the_old_text_stays(tmp_path: Path) -> None:
    path = tmp_path / "SCORES.json"
    path.write_text("old")
    # The size limit of a process fails a write the way a full disk does, part of the way through it.
    program = (
        "import resource, signal; from pathlib import Path; from harness.keep.files import write_whole\n"
        "from harness.errors import KeepError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"try: write_whole(Path({str(path)!r}), 'n' * 5000)\n"
        "except KeepError as error: print(error.message)\n"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True).stdout
    assert said == f"cannot write {path}: File too large\n"
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("SCORES.json", "old")]


def test_a_device_without_space_is_an_error_with_its_reason_and_a_way_out(tmp_path: Path) -> None:
    draft = tmp_path / ".page.tmp"
    draft.symlink_to("/dev/full")
    with pytest.raises(KeepError) as raised:
        write_whole(tmp_path / "page", "text")
    assert raised.value.message == f"cannot write {tmp_path / 'page'}: No space left on device"
    assert "free some space" in raised.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(KeepError, match="Permission denied"):
        write_whole(tmp_path / "page", "text")


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with pytest.raises(KeepError, match="Is a directory"):
        write_whole(tmp_path / "page", "text")


def test_no_file_reads_as_none(tmp_path: Path) -> None:
    assert read_json(tmp_path / "SCORES.json") is None


@pytest.mark.parametrize("text", ["{", "[]", "\x00", ""])
def test_a_file_that_holds_no_object_is_an_error_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "SCORES.json"
    path.write_text(text)
    with pytest.raises(KeepError, match=r"cannot read .*SCORES\.json"):
        read_json(path)

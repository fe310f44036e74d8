"""Files written whole or not at all; what is no file is written where it is."""

import os
import threading

import pytest

from hw.errors import InputError
from tb.cli.output import check_writable, write_text
from tb.whole_file import whole_file


def test_a_file_changes_when_the_block_has_ended(tmp_path):
    path = tmp_path / "out.v"
    path.write_text("old")
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "out.v"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "out.v", tmp_path / "link.v"
    link.symlink_to(path.name)
    write_text(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_pipe_is_written_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    check_writable(pipe)
    write_text(pipe, "new")
    reader.join()
    assert read == ["new"]
    assert pipe.is_fifo()


def test_what_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none/out\.v: cannot be written: No such file or directory"):
        write_text(tmp_path / "none" / "out.v", "new")

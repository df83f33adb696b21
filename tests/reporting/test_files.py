import os
import stat

import pytest

from sweep.errors import MachineError
from sweep.reporting.files import write_text


def test_writes_utf8_and_makes_the_folders(tmp_path):
    path = write_text(tmp_path / "a" / "b" / "c.txt", "zoë\r\n")
    assert path.read_bytes() == "zoë\r\n".encode()


def test_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "c.txt"
    path.write_text("old")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["c.txt"]


def test_the_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "usual").touch()
    path = write_text(tmp_path / "c.txt", "x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_link_at_the_path_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "reports" / "page.html"
    link.parent.mkdir()
    link.symlink_to(victim)
    write_text(link, "new", within=tmp_path / "reports")
    assert victim.read_text() == "precious"
    assert not link.is_symlink()
    assert link.read_text() == "new"


def test_a_folder_that_is_a_link_out_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "names").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match="outside"):
        write_text(tmp_path / "reports" / "names" / "page.html", "x", within=tmp_path / "reports")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_dots_do_not_lead_out(tmp_path):
    with pytest.raises(MachineError, match="outside"):
        write_text(tmp_path / "reports" / ".." / "x" / "page.html", "x", within=tmp_path / "reports")
    assert os.listdir(tmp_path) == []


def test_reports_themselves_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "reports").symlink_to(tmp_path / "disk")
    path = write_text(tmp_path / "reports" / "names" / "page.html", "x", within=tmp_path / "reports")
    assert path.read_text() == "x"


def test_a_loop_of_links_is_a_clear_error(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(MachineError):
        write_text(tmp_path / "loop" / "page.html", "x", within=tmp_path)


@pytest.mark.parametrize("name", ["file/page.html", "folder", "x" * 300])
def test_what_cannot_be_written_is_a_clear_error_and_leaves_nothing(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(MachineError, match="cannot be written") as caught:
        write_text(tmp_path / name, "x")
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]

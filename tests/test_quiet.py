import logging
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from masque.config import RunSettings
from masque.errors import PictureError
from masque.image import read_picture
from masque.train.devices import make_fabric


def odd_tiff(path, cut=0):
    """A compressed TIFF with a tag that libtiff does not know; `cut` bytes short."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[65000], tags.tagtype[65000] = "unheard of", 2
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path, compression="tiff_lzw", tiffinfo=tags)
    content = bytearray(path.read_bytes())
    if cut:
        content[200 : 200 + cut] = bytes(cut)
    path.write_bytes(content)
    return path


def test_libtiff_prints_nothing_about_a_picture_s_oddities(tmp_path, capfd):
    read_picture(odd_tiff(tmp_path / "odd.tif"))
    with pytest.raises(PictureError):
        read_picture(odd_tiff(tmp_path / "damaged.tif", cut=3000))
    assert capfd.readouterr() == ("", "")


def test_pillow_s_logger_and_warnings_do_not_print_where_nobody_handles_them(tmp_path):
    Image.new("1", (12_000, 9_000)).save(tmp_path / "huge.png")
    program = f"""
import logging
from contextlib import suppress
from masque.errors import PictureError
from masque.image import read_picture
logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded")
with suppress(PictureError):
    read_picture({str(tmp_path / "huge.png")!r})
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize("setting", ["bf16", "32", "64"])
def test_a_fabric_announces_nothing(setting, capfd, caplog):
    with caplog.at_level(logging.INFO):
        make_fabric(RunSettings(precision=setting), "cpu")
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")

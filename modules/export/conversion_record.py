"""What was checked of an exported model, kept beside it, so that what is shipped can be held to it.

A conversion that fails is the model's fault and no reason to stop a run: it is recorded with its
reason, and the model is passed over from there on.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfx.dsl.io import fileio

from data.files import folder_sha256
from modules import features
from modules.export.facts import Facts
from modules.export.graph.flatbuffer import ConversionError
from modules.export.logit_checks import ExportMismatchError

RECORD_FILE = "checked.json"  # in the Model artifact, beside its folder Format-Serving


@dataclasses.dataclass
class Record:
    """What is written down beside the digests.

    Attributes:
      facts: of the device model, once there is one.
    """

    facts: Facts | None = None


@contextlib.contextmanager
def recorded(serving_dir: str, name: str) -> Iterator[Record]:
    """Records what the block leaves in `serving_dir`, or why the device model in it was refused.

    The block puts the facts about the model into what it gets.

    Args:
      serving_dir: where the block writes `features.TFLITE_FILE`; on a refusal, what it added is
        removed, and what was there before, such as a SavedModel, stays.
      name: of the recipe, for the log.
    """
    folder = Path(serving_dir)
    before, refused, kept = set(folder.iterdir()), None, Record()
    try:
        yield kept
    except (ConversionError, ExportMismatchError) as error:
        refused = _sentence(str(error), folder)
        logging.getLogger(__name__).warning("%s is refused: %s", name, refused, exc_info=True)
        for path in set(folder.iterdir()) - before:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    record(serving_dir, refused, None if refused else kept.facts)


def record(serving_dir: str, refused: str | None = None, facts: Facts | None = None) -> None:
    """Writes down the digests of all files in a folder, and why it has no device model if so.

    Args:
      serving_dir: the folder.
      refused: why it has no device model.
      facts: about the device model that it has.
    """
    content = {
        "sha256": folder_sha256(Path(serving_dir)),
        "refused": refused,
        "facts": facts and dataclasses.asdict(facts),
    }
    Path(_record_path(serving_dir)).write_text(json.dumps(content, indent=2) + "\n")


def refusal(serving_dir: str) -> str | None:
    """Returns why the device model in a folder is not to be used, None when it is what was checked.

    That is: its conversion failed, or the file is missing, or its content is another one. The
    folder may be a URI that TFX knows.
    """
    known = _known(serving_dir)
    if known is None:
        return f"there is no {RECORD_FILE} beside it, which says what was checked"
    if known["refused"]:
        return known["refused"]
    path = os.path.join(serving_dir, features.TFLITE_FILE)
    if not fileio.exists(path):
        return "the file is missing"
    with fileio.open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if known["sha256"].get(features.TFLITE_FILE) != digest:
        return "the file was altered after it was checked: its SHA-256 is another one"
    return None


def facts(serving_dir: str) -> Facts | None:
    """Returns what was found out about the device model in a folder, None if nothing was kept.

    The folder may be a URI that TFX knows.
    """
    known = _known(serving_dir)
    return Facts.from_json(known["facts"]) if known and known.get("facts") else None


def altered_files(serving_dir: str) -> list[str]:
    """Returns which files of a SavedModel were altered, added or removed since it was checked.

    Without a record that is all of them. The device model beside the SavedModel is left out.
    """
    known = _known(serving_dir)
    before = known["sha256"] if known else {}
    now = folder_sha256(Path(serving_dir))
    names = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    return sorted(names - {features.TFLITE_FILE})


def _known(serving_dir: str) -> dict | None:
    """Returns the record, None when there is no whole one."""
    path = _record_path(serving_dir)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "rb") as file:
        try:
            content = json.loads(file.read())
        except ValueError:
            return None
    is_whole = isinstance(content, dict) and isinstance(content.get("sha256"), dict)
    return content if is_whole and "refused" in content else None


def _record_path(serving_dir: str) -> str:
    return os.path.join(os.path.dirname(serving_dir), RECORD_FILE)


def _sentence(text: str, folder: Path) -> str:
    """Returns an error's text on one line, without the path that the report does not need."""
    without = re.sub(rf"\S*/{features.TFLITE_FILE}: ", "", text.replace(str(folder), ""))
    return " ".join(without.split())

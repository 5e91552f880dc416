"""New versions while the server answers: taken when they are whole and warm, refused else."""

import itertools
import shutil
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.storage import versions
from tests.support.serving import (
    INFER,
    NAME,
    PREDICT,
    Server,
    images,
    inference_calls,
    push,
    serving,
    tensor,
)

Models = Callable[[float], Path]
REQUESTS, CLIENTS = 500, 4


def served(server: Server) -> tuple[str, float]:
    """The version that answers, and the mark of its model."""
    answer = server.post(INFER, {"inputs": [tensor(images(1))], "outputs": [{"name": "logits"}]})
    assert answer.status == 200, answer.content
    return answer.content["model_version"], answer.content["outputs"][0]["data"][1]


def test_a_version_pushed_under_load_costs_no_request_and_each_is_answered_by_one_version(
    server: Server, served_model: Models
) -> None:
    old, mark = served(server)
    found: list[tuple[str, float]] = []
    half_done = threading.Event()

    def by_rest(number: int) -> None:
        body = {"instances": images(1 + number % 3).tolist()}
        answer = server.post(PREDICT, body)
        assert answer.status == 200, answer.content
        marks = {row[1] for row in answer.content["predictions"]}
        found.append((answer.headers["model-version"], *marks))

    def by_grpc(number: int) -> None:
        given = images(1 + number % 3)
        inputs = [{"name": "image_floats", "datatype": "FP32", "shape": given.shape}]
        answer = call(
            "ModelInfer", model_name=NAME, inputs=inputs, raw_input_contents=[given.tobytes()]
        )
        logits = memoryview(answer.raw_output_contents[0]).cast("f")
        found.append((answer.model_version, *set(logits[1::3])))

    def client(first: int) -> None:
        for number in itertools.count(first, CLIENTS):
            if number >= REQUESTS and new and new[0] in dict(found):
                return
            (by_rest if first % 2 else by_grpc)(number)
            if number >= REQUESTS // 4:
                half_done.set()

    new: list[str] = []
    with inference_calls(server) as call, ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(client, first) for first in range(CLIENTS)]
        assert half_done.wait(60)
        new.append(push(served_model(mark + 1), server.output / "serving"))
        for one in asked:
            one.result()
    assert len(found) >= REQUESTS
    assert set(found) == {(old, mark), (new[0], mark + 1)}
    server.wait_until(lambda: f"version {old} of {NAME} is released" in server.log)
    refusal = server.post(f"/v2/models/{NAME}/versions/{old}/infer", {"inputs": []})
    assert refusal.status == 404 and f"version {new[0]} is served" in refusal.error


def _cut(version: Path, name: str) -> None:
    """Also in the record, so that nothing but the loading can tell."""
    path = version / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("changed", "saved_model.pb: its SHA-256 is not the one in pushed.json"),
        ("cut", "TensorFlow does not load it"),
        ("gone", "what pushed.json names is not all there"),
        ("nan", "of finite numbers"),
    ],
)
def test_a_version_that_does_not_load_is_refused_once_and_the_old_one_answers(
    damage: str, reason: str, server: Server, served_model: Models
) -> None:
    before = served(server)
    folder = server.output / "serving"
    aside = server.output / "aside"
    name = push(served_model(float("nan") if damage == "nan" else 50.0), aside)
    if damage == "changed":
        with open(aside / name / "saved_model.pb", "r+b") as file:
            file.seek(20)
            file.write(b"\0")
    elif damage == "gone":
        (aside / name / "variables" / "variables.index").unlink()
    elif damage == "cut":
        (aside / name / versions.RECORD).unlink()
        _cut(aside / name, "saved_model.pb")
    version = str(int(before[0]) + 1_000)
    (aside / name).rename(folder / version)
    try:
        server.wait_until(lambda: server.state_of(version) == "END")
        assert served(server) == before
        [state] = server.get(f"/v1/models/{NAME}/versions/{version}").content[
            "model_version_status"
        ]
        assert reason in state["status"]["error_message"]
        newer = push(served_model(before[1] + 1), folder)
        server.wait_for(newer)
        assert server.log.count(f"version {version} of {NAME} is not served") == 1
    finally:
        shutil.rmtree(folder / version)
        shutil.rmtree(aside)


def test_a_refused_version_is_tried_again_once_its_files_changed_and_a_removed_one_goes(
    server: Server, served_model: Models
) -> None:
    old, mark = served(server)
    folder = server.output / "serving"
    version = str(int(old) + 1)
    shutil.copytree(served_model(mark + 1), folder / version)  # without a record
    _cut(folder / version, "saved_model.pb")
    server.wait_until(lambda: server.state_of(version) == "END")
    shutil.copyfile(served_model(mark + 1) / "saved_model.pb", folder / version / "saved_model.pb")
    server.wait_for(version)
    assert served(server) == (version, mark + 1)
    shutil.rmtree(folder / version)
    server.wait_for(old)
    assert served(server) == (old, mark)


def test_after_a_kill_the_newest_good_version_is_served(
    tmp_path: Path, served_model: Models
) -> None:
    with serving(tmp_path) as server:
        assert server.get("/v2/health/ready").status == 400
        waiting = server.post(INFER, {})
        assert waiting.status == 503 and "no version of small is loaded yet" in waiting.error
        first = push(served_model(1.0), tmp_path / "serving")
        server.wait_for(first)
        good = push(served_model(2.0), tmp_path / "serving")
        server.wait_for(good)
        server.kill()
        broken = push(served_model(3.0), tmp_path / "serving")
        _cut(tmp_path / "serving" / broken, "variables/variables.data-00000-of-00001")
        server.start()
        server.wait_for(good)
        assert served(server) == (good, 2.0)
        assert server.state_of(broken) == "END" and server.state_of(first) is None
        assert server.get("/v2/health/ready").status == 200
        assert server.stop(signal.SIGINT) == 0, server.log


def test_versions_in_an_object_store(
    tmp_path: Path, served_model: Models, s3: str, s3_environment: dict[str, str]
) -> None:
    first = push(served_model(1.0), f"{s3}/serving")
    with serving(tmp_path, PUSH_TO=s3, **s3_environment) as server:
        server.wait_for(first)
        second = push(served_model(3.0), f"{s3}/serving")
        server.wait_for(second)
        assert served(server) == (second, 3.0)

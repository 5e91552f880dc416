"""The web server's port, before anything is started."""

import socket

import pytest

from data.errors import WRONG_SETTING
from pipeline.airflow import up


@pytest.mark.parametrize("port", ["http", "70000", "-1"])
def test_a_port_that_is_none_is_named(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_PORT", port)
    assert up.main() == WRONG_SETTING
    assert f"AIRFLOW_PORT={port}" in capsys.readouterr().err


def test_a_port_in_use_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((up.LOOPBACK, 0)) as server:
        port = str(server.getsockname()[1])
        monkeypatch.setenv("AIRFLOW_PORT", port)
        assert up.main() == WRONG_SETTING
    assert f"AIRFLOW_PORT={port}" in capsys.readouterr().err
